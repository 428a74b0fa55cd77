/** What the documentation names exists, so a rename, a lost page or another number fails a test. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { defaultGatewayConfig } from '../gateway/config.ts';
import { CloseCode, Op } from '../schemas/gateway/frames.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const pagesIn = (folder: string): string[] =>
  readdirSync(join(project, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
const pages = ['README.md', ...pagesIn('docs'), ...pagesIn('docs/adr')];
const rooms = readdirSync(project, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const startsInARoom = new RegExp(`^(${rooms.map(({ name }) => name.replace('.', '\\.')).join('|')})/`);

/** Paths in backticks, relative to the project's root. A path that contains a pattern names no single file. */
const pathsIn = (page: string): string[] =>
  [...page.matchAll(/`([\w.-]+(?:\/[\w.-]+)*\/?)`/g)]
    .map(([, path]) => path!)
    .filter((path) => startsInARoom.test(path));

const linksIn = (page: string): string[] => [...page.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link]) => link!);

it('docs/gateway.md tells how many commands of a session may be unanswered', () => {
  const told = /at most (\d+)\s+may be unanswered/.exec(readFileSync(join(project, 'docs/gateway.md'), 'utf8'));
  expect(Number(told?.[1])).toBe(defaultGatewayConfig.commandsInFlight);
});

describe('docs/gateway.md', () => {
  const page = readFileSync(join(project, 'docs/gateway.md'), 'utf8');

  /** The rows of the section's table, by their first cells. */
  const rows = (section: string, cells: number): string[][] => {
    const [, after = ''] = page.split(`\n## ${section}\n`);
    const lines = after
      .split('\n## ')[0]!
      .split('\n')
      .filter((line) => line.startsWith('| '));
    return lines.slice(2).map((line) =>
      line
        .split(' | ')
        .slice(0, cells)
        .map((cell) => cell.replace(/^\| |`/g, '')),
    );
  };
  const named = (codes: Readonly<Record<string, number>>) =>
    Object.entries(codes)
      .toSorted(([, a], [, b]) => a - b)
      .map(([name, code]) => [String(code), name]);

  it('lists every opcode and close code by its name', () => {
    expect(rows('Opcodes', 2)).toEqual(named(Op));
    expect(rows('Close codes', 2)).toEqual(named(CloseCode));
  });

  it('lists every dispatch', () => {
    const sources = readdirSync(join(project, 'gateway'))
      .filter((name) => /\.ts$/.test(name) && !/\.(spec|testing)\.ts$|^testing/.test(name))
      .map((name) => join('gateway', name));
    const text = [
      'presenter/dispatches.ts',
      'presenter/thread-dispatches.ts',
      'presenter/group-dispatches.ts',
      'presenter/report-dispatches.ts',
      ...sources,
    ]
      .map((path) => readFileSync(join(project, path), 'utf8'))
      .join();
    const names = [...text.matchAll(/'([A-Z]+(?:_[A-Z]+)+|READY|RESUMED)'/g)].map(([, name]) => name!);
    expect(rows('Dispatches', 1).flat().toSorted()).toEqual([...new Set(names)].toSorted());
  });
});

it('docs/operating.md has a line for each row of the board, by its title', () => {
  const board = JSON.parse(readFileSync(join(project, 'deploy/grafana/board.json'), 'utf8')) as {
    panels: readonly { type: string; title: string }[];
  };
  const operating = readFileSync(join(project, 'docs/operating.md'), 'utf8');
  const titles = board.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
  expect(titles.filter((title) => !operating.includes(`\n| ${title} |`))).toEqual([]);
});

describe.each(pages)('%s', (page) => {
  const text = readFileSync(join(project, page), 'utf8');
  // A decision describes the code as it was on that day.
  it.skipIf(page.startsWith('docs/adr'))('names existing files and folders', () => {
    expect(pathsIn(text).filter((path) => !existsSync(join(project, path)) && !path.startsWith('data/'))).toEqual([]);
  });
  it('links to existing pages', () => {
    expect(linksIn(text).filter((link) => !existsSync(join(project, dirname(page), link)))).toEqual([]);
  });
});
