import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { foldNick, openIrcFile } from './irc-parser.ts';

const fixture = fileURLToPath(new URL('fixtures/2004-12-25.excerpt.txt', import.meta.url));
const logs = fileURLToPath(new URL('../../../shared/data/irc', import.meta.url));

const count = async (paths: readonly string[]) => {
  const kinds: Record<string, number> = {};
  const spellings = new Set<string>();
  for (const path of paths) {
    for await (const line of (await openIrcFile(path)).lines()) {
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
    const [one, other] = [await openIrcFile(fixture), await openIrcFile(copy)];
    expect(other.hash).toBe(one.hash);
    expect(other.midnight).toBe(Date.UTC(2005, 0, 1));
  });

  it('is refused by name when its name has no date', async () => {
    const undated = join(temporaryFolder(), 'log.txt');
    writeFileSync(undated, '');
    await expect(openIrcFile(undated)).rejects.toThrow('log.txt');
  });

  it('is refused by name when it does not exist', async () => {
    await expect(openIrcFile(join(temporaryFolder(), '2005-01-01.txt'))).rejects.toThrow('2005-01-01.txt');
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
