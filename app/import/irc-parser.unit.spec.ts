import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dateInName, foldNick, type IrcLine, parseIrcLog } from './irc-parser.ts';

const MIDNIGHT = Date.UTC(2004, 11, 25);

const parse = async (content: string | Uint8Array, cut = Number.POSITIVE_INFINITY): Promise<IrcLine[]> => {
  const bytes = Buffer.from(content as Uint8Array);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += cut) chunks.push(bytes.subarray(at, at + cut));
  const lines: IrcLine[] = [];
  for await (const line of parseIrcLog(chunks, MIDNIGHT)) lines.push(line);
  return lines;
};

describe('a line of an IRC log', () => {
  it('is a message with its nick, text and time', async () => {
    expect(await parse('[09:14] <crimsun> kleedrac: hello\n')).toEqual([
      {
        kind: 'message',
        line: 1,
        nick: 'crimsun',
        text: 'kleedrac: hello',
        time: MIDNIGHT + (9 * 60 + 14) * 60_000,
        replaced: 0,
      },
    ]);
  });

  it.each([
    ['[14:39]  * jaggz nudges v3ctor', 'action', 'jaggz', 'nudges v3ctor'],
    ['[14:39] * jaggz nudges', 'action', 'jaggz', 'nudges'],
    ['[09:05] <SurfnKid>', 'empty', 'SurfnKid', ''],
    ['[09:05] <SurfnKid>   ', 'empty', 'SurfnKid', '  '],
    ['[09:05]  * SurfnKid', 'action', 'SurfnKid', ''],
    ['[09:05] <a> <b> said so', 'message', 'a', '<b> said so'],
    ['[09:05] <a>  two spaces', 'message', 'a', ' two spaces'],
    ['[09:05] <|QuaD-> xine', 'message', '|QuaD-', 'xine'],
    ['=== vassie [~vassie@host]  has joined #ubuntu', 'system', null, '=== vassie [~vassie@host]  has joined #ubuntu'],
    ['=', 'other', null, '='],
    ['', 'other', null, ''],
    ['[24:00] <a> no such hour', 'other', null, '[24:00] <a> no such hour'],
    ['[09:60] <a> no such minute', 'other', null, '[09:60] <a> no such minute'],
    ['[01:26] -flood:#ubuntu- notice', 'other', null, '[01:26] -flood:#ubuntu- notice'],
    ['[09:05] <> nobody', 'other', null, '[09:05] <> nobody'],
    ['[09:05] <a>no space', 'other', null, '[09:05] <a>no space'],
  ])('%j is of kind %s', async (line, kind, nick, text) => {
    expect(await parse(`${line}\n`)).toMatchObject([{ kind, nick, text }]);
  });

  it('loses only the carriage return right before its line feed', async () => {
    expect((await parse('[09:05] <a> x\ry\r\n[09:05] <b> z\r')).map((line) => line.text)).toEqual(['x\ry', 'z']);
  });

  it('without a time gets the time of the line before, and midnight if it is the first', async () => {
    const lines = await parse('=== a has joined\n[09:05] <a> x\n=== a has left\n');
    expect(lines.map((line) => (line.time - MIDNIGHT) / 60_000)).toEqual([0, 545, 545]);
  });

  it('survives bytes that are not UTF-8, and counts the replacements', async () => {
    const bytes = Buffer.concat([
      Buffer.from('[09:05] <a> caf'),
      Buffer.from([0xe9]),
      Buffer.from(' \uFFFD stays '),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('\n'),
    ]);
    expect(await parse(bytes)).toMatchObject([{ text: 'caf\uFFFD \uFFFD stays \uFFFD\uFFFD', replaced: 3 }]);
  });

  it('counts as the last line even without a line feed, unless it is empty', async () => {
    expect(await parse('a\nb')).toHaveLength(2);
    expect(await parse('a\nb\n')).toHaveLength(2);
    expect(await parse('')).toHaveLength(0);
  });

  it('is the same however the file is cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 20 }), async (bytes, cut) => {
        expect(await parse(bytes, cut)).toEqual(await parse(bytes));
      }),
    );
  });

  it('is returned for every line of the input, numbered from 1', async () => {
    const line = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', ' '));
    await fc.assert(
      fc.asyncProperty(fc.array(line), async (lines) => {
        const parsed = await parse(lines.map((text) => `${text}\n`).join(''));
        expect(parsed.map((each) => each.line)).toEqual(lines.map((_, index) => index + 1));
      }),
    );
  });
});

describe('the date in a file name', () => {
  it.each([
    ['2004-12-25.train-c.raw.txt', MIDNIGHT],
    ['ubuntu-2004-12-25', MIDNIGHT],
    ['2005-02-31.txt', undefined],
    ['2005-13-01.txt', undefined],
    ['12004-12-250.txt', undefined],
    ['notes.txt', undefined],
  ])('of %s is %s', (name, expected) => expect(dateInName(name)).toBe(expected));
});

describe('nicknames', () => {
  it('are equal regardless of case, by the rules of RFC 1459', () => {
    expect(foldNick('Nick[A]\\~')).toBe('nick{a}|^');
  });
});
