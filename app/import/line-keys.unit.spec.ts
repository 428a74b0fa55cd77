import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldNick, type IrcFile } from './irc-file.ts';
import { formatOf } from './irc-lines.ts';
import { ImportedLines, isSaid } from './line-keys.ts';
import { rawLines } from './raw-lines.ts';
import { dateInName, lineTimes } from './times.ts';

const { read } = formatOf('[09:14] <a> x')!;

type File = Pick<IrcFile, 'name' | 'day' | 'lines'>;

const fileOf = (name: string, text: string): File => {
  const day = dateInName(name);
  return {
    name,
    day,
    async *lines() {
      const times = lineTimes(day, false);
      for await (const raw of rawLines(text === '' ? [] : [Buffer.from(text)])) {
        const reading = read!(Buffer.from(raw.content).toString());
        yield { ...raw, ...reading, time: times.of(reading)!, replaced: 0 };
      }
    },
  };
};

interface Stored {
  readonly key: string;
  readonly time: number;
  readonly text: string;
}

/** A channel: what is imported into it, run by run. */
class Channel {
  readonly stored: Stored[] = [];
  /** Texts that the last run left out. */
  leftOut: string[] = [];

  /** @returns texts of what was added */
  async import(...files: File[]): Promise<string[]> {
    const known = new ImportedLines();
    for (const { key, time } of this.stored) known.add(key, time, { author: '1', messageId: '1' });
    const added: Stored[] = [];
    this.leftOut = [];
    for (const file of files)
      for await (const { line, key, isKnown, isLeftOut } of known.linesOf(file)) {
        if (isLeftOut) this.leftOut.push(line.text);
        if (isSaid(line) && !isKnown) added.push({ key, time: line.time, text: line.text });
      }
    this.stored.push(...added);
    return added.map(({ text }) => text);
  }
}

const A = '2004-12-25.txt';
const TWO = '[09:14] <a> one\n=== b [b@host]  has joined #ubuntu\n[09:15] <b> two\n';
const MORE = '[09:16] <a> three\n=== b waves\n';

describe('lines of a log', () => {
  it('are added once, and of a file that has grown the new ones', async () => {
    const channel = new Channel();
    expect(await channel.import(fileOf(A, TWO), fileOf(A, TWO))).toEqual(['one', 'two']);
    expect(await channel.import(fileOf(A, TWO))).toEqual([]);
    expect(await channel.import(fileOf(A, TWO + MORE))).toEqual(['three', 'waves']);
    expect(await channel.import(fileOf(A, TWO))).toEqual([]);
  });

  it('are others on another day, although they read the same', async () => {
    const channel = new Channel();
    await channel.import(fileOf(A, TWO));
    expect(await channel.import(fileOf('2004-12-26.txt', TWO))).toEqual(['one', 'two']);
    expect(await channel.import(fileOf('2004-12-26.txt', TWO), fileOf(A, TWO))).toEqual([]);
  });

  it('are known under another name of the file, which may have grown, or may be an older copy', async () => {
    const channel = new Channel();
    await channel.import(fileOf(A, TWO + MORE));
    expect(await channel.import(fileOf('ubuntu-2004-12-25.log', TWO + MORE))).toEqual([]);
    expect(await channel.import(fileOf('old-2004-12-25.log', TWO))).toEqual([]);
    const more = fileOf('new-2004-12-25.log', `${TWO}${MORE}[09:17] <a> four\n`);
    expect(await channel.import(more, more)).toEqual(['four']);
  });

  it('are not known because another file of the day begins alike', async () => {
    const channel = new Channel();
    await channel.import(fileOf('a.2004-12-25.txt', `[00:00] <a> hello\n${TWO}`));
    expect(await channel.import(fileOf('b.2004-12-25.txt', `[00:00] <a> hello\n${MORE}`))).toEqual([
      ...['hello', 'three', 'waves'],
    ]);
  });

  const line = fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom('<a> x', '<b> y', ' * a z', '<a>', '-x-'))
    .map(([minute, rest]) => `[09:0${minute}] ${rest}\n`);
  const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.join(''));

  it('are the same in two pieces, one grown into the other, as at once', async () => {
    await fc.assert(
      fc.asyncProperty(text, text, async (before, after) => {
        const [once, twice] = [new Channel(), new Channel()];
        await once.import(fileOf(A, before + after));
        await twice.import(fileOf(A, before));
        await twice.import(fileOf(A, before + after));
        expect(twice.stored).toEqual(once.stored);
      }),
    );
  });

  it('are never added by a repetition, of whatever files in whatever order', async () => {
    const files = fc.array(fc.tuple(fc.constantFrom(A, 'b.2004-12-25.txt', '2004-12-26.txt'), text), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(files, async (given) => {
        const all = given.map(([name, content]) => fileOf(name, content));
        const channel = new Channel();
        await channel.import(...all);
        expect(await channel.import(...all.reverse())).toEqual([]);
      }),
    );
  });
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('lines that a former version imported', () => {
  const time = (minutes: number) => dateInName(A)! + minutes * 60_000;
  const byFile = (text: string, line: number, minutes: number): Stored => ({
    ...{ key: `irc:${sha256(text)}:${line}`, time: time(minutes), text: '' },
  });
  const first = () => {
    const channel = new Channel();
    channel.stored.push(byFile(TWO, 1, 554), byFile(TWO, 3, 555));
    return channel;
  };

  it('are known under the hash of their file, also without its last line feed', async () => {
    expect(await first().import(fileOf(A, TWO))).toEqual([]);
    const channel = new Channel();
    channel.stored.push(byFile(TWO.trimEnd(), 1, 554), byFile(TWO.trimEnd(), 3, 555));
    expect(await channel.import(fileOf(A, TWO + MORE))).toEqual(['three', 'waves']);
  });

  it('are known when the file has grown since', async () => {
    const channel = first();
    expect(await channel.import(fileOf(A, TWO + MORE))).toEqual(['three', 'waves']);
    expect(await channel.import(fileOf(A, TWO + MORE))).toEqual([]);
  });

  it('are known when the file ended within a line, which is added as it is now', async () => {
    const channel = new Channel();
    const cut = `${TWO}[09:16] <a> thr`;
    channel.stored.push(byFile(cut, 1, 554), byFile(cut, 3, 555), byFile(cut, 4, 556));
    expect(await channel.import(fileOf(A, TWO + MORE))).toEqual(['three', 'waves']);
  });

  it('are as far as it came, if it was interrupted', async () => {
    const channel = new Channel();
    channel.stored.push(byFile(TWO, 1, 554));
    expect(await channel.import(fileOf(A, TWO))).toEqual(['two']);
  });

  it('are of their day only', async () => {
    expect(await first().import(fileOf('2004-12-26.txt', TWO))).toEqual(['one', 'two']);
  });

  it('are known under the hash of what led to them, and what was no action then is left out', async () => {
    const text = `[09:14] <a> one\n=== b waves\n[09:15] <b> two\n`;
    const clock = (minutes: number) => minutes * 60_000;
    const read = [
      JSON.stringify(['message', 'a', 'one', clock(554)]),
      JSON.stringify(['system', null, '=== b waves', clock(554)]),
      JSON.stringify(['message', 'b', 'two', clock(555)]),
    ];
    const channel = new Channel();
    channel.stored.push({ key: `irc:${sha256(read[0]!)}`, time: time(554), text: '' });
    channel.stored.push({ key: `irc:${sha256(read.join(''))}`, time: time(555), text: '' });
    expect(await channel.import(fileOf('moved.2004-12-25.txt', text))).toEqual([]);
    expect(channel.leftOut).toEqual(['waves']);
    expect(await channel.import(fileOf(A, text + MORE))).toEqual(['three', 'waves']);
    expect(await channel.import(fileOf('2004-12-26.txt', text))).toEqual(['one', 'waves', 'two']);
  });
});

describe('nicknames', () => {
  it('are equal regardless of case, by the rules of RFC 1459', () => {
    expect(foldNick('Nick[A]\\~')).toBe('nick{a}|^');
  });
});
