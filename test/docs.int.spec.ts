/** What the documentation names exists, so a rename, a lost page or another number fails a test. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { defaultGatewayConfig } from '../gateway/config.ts';

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
