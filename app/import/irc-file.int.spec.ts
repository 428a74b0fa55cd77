import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { foldNick, type IrcLine, openIrcFile, type Told } from './irc-file.ts';

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

const write = (name: string, content: string | Uint8Array): string => {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
};

const linesOf = async (path: string, told: Told = {}) => {
  const lines: IrcLine[] = [];
  for await (const line of (await openIrcFile(path, NOW, told)).lines()) lines.push(line);
  return lines;
};

describe('a log file', () => {
  it('is accounted for line by line', async () => {
    expect(await count([fixture])).toEqual({
      kinds: { message: 19, system: 1, action: 1, empty: 1 },
      spellings: 7,
      nicks: 7,
    });
  });

  const refused = (path: string, says: string | RegExp, told: Told = {}) =>
    expect(openIrcFile(path, NOW, told)).rejects.toThrow(says);

  it.each([
    ['when its day is not known', 'log.txt', LINE, /log\.txt: the day on which it begins .* give it with --day/],
    ['when it is empty and has no day', 'log.txt', '', /log\.txt: it is empty/],
    ['when no id can hold its day', '2204-12-25.txt', LINE, /2204-12-25\.txt: the day in its name has not come yet/],
    ['when its day is tomorrow', '2024-05-03.txt', LINE, /2024-05-03\.txt: the day in its name has not come yet/],
    ['when a line is of next year', 'a.log', '2025-01-01 10:00:00\ta\tx\n', /lines of a day that has not come yet/],
    ['when none of its lines is of an IRC log', '2005-01-01.txt', 'x\n\0\n', /no line of it is one of an IRC log/],
    ['when most of its lines are none', '2005-01-01.txt', `${LINE}x\ny\n`, /no IRC log, .*: line 2 is none of/],
    [
      'when nobody says anything in it',
      '2005-01-01.txt',
      '=== a is now known as b\n=== b is now known as a\nx\n',
      /line 3 is none of/,
    ],
    [
      'when it is of a client that is not read',
      '2005-01-01.txt',
      `${LINE}Session Close: x\n`,
      /line 2 is of a log of mIRC/,
    ],
    ['when it is of two clients', '2005-01-01.txt', `${LINE}09:14 < a> x\n`, /line 2 is of a log of irssi, and line 1/],
    [
      'when its days are in German',
      '2005-01-01.txt',
      '--- Log opened Sa Mai 14 09:00:00 2005\n09:14 < a> x\n',
      /line 1 names a day/,
    ],
    [
      'when carriage returns end its lines',
      '2005-01-01.txt',
      LINE.repeat(2).replaceAll('\n', '\r'),
      /line 1 has other lines in it/,
    ],
    ['when it is packed', '2005-01-01.txt.gz', Buffer.from('1f8b08000000', 'hex'), /it is packed \(gzip\)/],
    ['when a line is endless', '2005-01-01.txt', 'x'.repeat(100_000), /line 1 is longer than 8,192 bytes/],
    [
      'when a line is no message',
      '2005-01-01.txt',
      LINE.replace('text', 'x'.repeat(2001)),
      /line 1 .* 2000 characters/,
    ],
    [
      'when its encoding is not known',
      '2005-01-01.txt',
      Buffer.from('5b30393a31345d203c613e20f0d2c9d7c5d4', 'hex'),
      /line 1 and others .* --encoding/,
    ],
  ])('is refused by name %s', async (_, name, content, says) => refused(write(name, content), says));

  it('may be that of today, and be empty', async () => {
    expect((await openIrcFile(write('2024-05-02.txt', ''), NOW)).day).toBe(Date.UTC(2024, 4, 2));
  });

  it('is refused when the encoding that is told cannot be that of the file', async () => {
    const plain = write('2005-01-01.txt', LINE);
    const wide = write('2005-01-02.txt', Buffer.from(`\ufeff${LINE}`, 'utf16le'));
    await refused(plain, 'it is not in UTF-16, and --encoding says utf-16', { encoding: 'utf-16' });
    await refused(wide, 'it is in UTF-16, and --encoding says windows-1251', { encoding: 'windows-1251' });
    expect((await linesOf(wide, { encoding: 'utf-16le' })).map(({ text }) => text)).toEqual(['text']);
  });

  it('is refused by name when it does not exist, is a folder or no file, with a date or without', async () => {
    const folder = temporaryFolder();
    for (const name of ['2005-01-01.txt', 'log.txt'])
      await refused(join(folder, name), `${name} cannot be read: it is not there`);
    await refused(folder, `${folder} is a folder: name the files in it`);
    await refused('/dev/null', '/dev/null is no file');
  });

  it('has the day and the encoding that are told, where it does not tell them', async () => {
    const told = { day: Date.UTC(2005, 0, 1), encoding: 'koi8-r' };
    const [line] = await linesOf(write('log.txt', Buffer.from('5b30393a31345d203c613e20f0d2c9d7c5d4', 'hex')), told);
    expect(line).toMatchObject({ text: '\u041f\u0440\u0438\u0432\u0435\u0442', time: Date.UTC(2005, 0, 1, 9, 14) });
  });

  it.each([
    ['a byte order mark', Buffer.from(`\uFEFF${LINE}`)],
    ['UTF-16', Buffer.from(`\uFEFF${LINE}`, 'utf16le')],
    ['carriage returns', Buffer.from(LINE.replace('\n', '\r\n'))],
  ])('reads the same with %s', async (_, bytes) => {
    expect(await linesOf(write('2005-01-01.txt', bytes))).toMatchObject([{ nick: 'nick', text: 'text' }]);
  });

  it('takes its days from its lines, whatever its name is', async () => {
    const irssi =
      '--- Log opened Sat Dec 25 09:00:00 2004\n23:59 < a> x\n--- Day changed Sun Dec 26 2004\n00:01 < a> y\n';
    const file = await openIrcFile(write('#ubuntu.log', irssi), NOW);
    expect(file.first).toBe(Date.UTC(2004, 11, 25, 9));
    const times = (await linesOf(file.path)).map(({ time }) => time);
    expect(times.at(-1)).toBe(Date.UTC(2004, 11, 26, 0, 1));
    expect(file.guesses).toEqual([]);
  });

  it('of irssi may have its times in brackets', async () => {
    const path = write(
      'a.log',
      '--- Log opened Sat Dec 25 09:00:00 2004\n[09:14] <@a> x\n[09:15]  * a y\n[09:15] -!- a [b@c] has quit [z]\n',
    );
    expect((await linesOf(path)).map(({ kind }) => kind)).toEqual(['system', 'message', 'action', 'system']);
  });

  it('may have messages as long as a message may be', async () => {
    for (const line of [`[09:14] <a> ${'\u20ac'.repeat(2000)}\n`, `[09:14] * a ${'x'.repeat(1998)}\n`])
      expect(await linesOf(write('2005-01-01.txt', line))).toHaveLength(1);
    await refused(write('2005-01-01.txt', `[09:14] * a ${'x'.repeat(1999)}\n`), 'line 1 is longer than the 2000');
  });

  it('tells what was guessed about it', async () => {
    const guesses = async (text: string) =>
      (await openIrcFile(write('2005-01-01.txt', Buffer.from(text, 'latin1')), NOW)).guesses;
    expect(await guesses('[23:59] <a> caf\xe9\n[00:01] <a> x\n')).toEqual([
      'read as Latin-1: 1 of its lines',
      'it goes on after midnight: it is taken to be of 2 days',
    ]);
    expect(await guesses('[12:59] <a> x\n[01:01] <a> x\n')).toEqual([
      'its clock is taken for one of 12 hours that begins in the morning',
    ]);
  });

  it('makes no time of the future, and ends where it ended when it was opened', async () => {
    const path = write('2024-05-02.txt', '[23:59] <a> x\n');
    const file = await openIrcFile(path, NOW);
    writeFileSync(path, '[23:59] <a> y\n', { flag: 'a' });
    const lines: IrcLine[] = [];
    for await (const line of file.lines()) lines.push(line);
    expect(lines).toMatchObject([{ text: 'x', time: NOW }]);
  });
});

// The full corpus is not part of the repository. This runs on machines that have it next to the project.
describe.runIf(existsSync(logs))('the 39 days of #ubuntu', () => {
  it('are accounted for line by line', async () => {
    const files = readdirSync(logs).filter((name) => name.endsWith('.raw.txt'));
    expect(files).toHaveLength(39);
    expect(await count(files.map((name) => join(logs, name)))).toEqual({
      kinds: { message: 48_589, empty: 4, action: 238, system: 6_429, other: 5 },
      spellings: 4_637,
      nicks: 4_613,
    });
  });
});
