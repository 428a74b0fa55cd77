import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { foldNick, openIrcFile } from './irc-parser.ts';

const fixture = fileURLToPath(new URL('fixtures/2004-12-25.excerpt.txt', import.meta.url));
const logs = fileURLToPath(new URL('../../../shared/data/irc', import.meta.url));

/** 2024-05-02. */
const NOW = Date.UTC(2024, 4, 2, 10);
const LINE = '[09:14] <nick> text\n';

const count = async (paths: readonly string[]) => {
  const kinds: Record<string, number> = {};
  const spellings = new Set<string>();
  for (const path of paths) {
    for await (const line of (await openIrcFile(path, NOW)).lines()) {
      kinds[line.kind] = (kinds[line.kind] ?? 0) + 1;
      if (line.kind === 'message' || line.kind === 'empty') spellings.add(line.nick!);
    }
  }
  return { kinds, spellings: spellings.size, nicks: new Set([...spellings].map(foldNick)).size };
};

const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-irc-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

describe('a log file', () => {
  it('is accounted for line by line', async () => {
    expect(await count([fixture])).toEqual({
      kinds: { message: 19, system: 1, action: 1, empty: 1 },
      spellings: 7,
      nicks: 7,
    });
  });

  it('is the same file under another name', async () => {
    const copy = join(temporaryFolder(), '2005-01-01.txt');
    copyFileSync(fixture, copy);
    const [one, other] = [await openIrcFile(fixture, NOW), await openIrcFile(copy, NOW)];
    expect(other.hash).toBe(one.hash);
    expect(other.midnight).toBe(Date.UTC(2005, 0, 1));
  });

  it.each([
    ['when its name has no date', 'log.txt', '', /log\.txt: .* must hold a date/],
    ['when no id can hold its day', '2204-12-25.txt', LINE, /2204-12-25\.txt: the day in its name has not come yet/],
    ['when its day is tomorrow', '2024-05-03.txt', LINE, /2024-05-03\.txt: the day in its name has not come yet/],
    ['when none of its lines is of an IRC log', '2005-01-01.txt', 'x'.repeat(3_000).concat('\n\0\n'), /no line of it/],
  ])('is refused by name %s', async (_, name, content, says) => {
    const path = join(temporaryFolder(), name);
    writeFileSync(path, content);
    await expect(openIrcFile(path, NOW)).rejects.toThrow(says);
  });

  it('may be that of today, and be empty', async () => {
    const path = join(temporaryFolder(), '2024-05-02.txt');
    writeFileSync(path, '');
    expect((await openIrcFile(path, NOW)).midnight).toBe(Date.UTC(2024, 4, 2));
  });

  it('is refused by name when it does not exist or is a folder, with a date or without', async () => {
    const folder = temporaryFolder();
    for (const name of ['2005-01-01.txt', 'log.txt'])
      await expect(openIrcFile(join(folder, name), NOW)).rejects.toThrow(`${name} cannot be read: ENOENT`);
    await expect(openIrcFile(folder, NOW)).rejects.toThrow(`${folder} is a folder: name the files in it`);
  });
});

// The full corpus is not part of the repository. This runs on machines that have it next to the project.
describe.runIf(existsSync(logs))('the 39 days of #ubuntu', () => {
  it('are accounted for line by line', async () => {
    const files = readdirSync(logs).filter((name) => name.endsWith('.raw.txt'));
    expect(files).toHaveLength(39);
    expect(await count(files.map((name) => join(logs, name)))).toEqual({
      kinds: { message: 48_589, empty: 4, action: 97, system: 6_570, other: 5 },
      spellings: 4_637,
      nicks: 4_613,
    });
  });
});
