import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formOf, fromUtf16, LINE_BYTES, type RawLine, rawLines } from './raw-lines.ts';

const cutInto = (bytes: Uint8Array, size: number): Uint8Array[] => {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return chunks;
};

const read = async (content: string | Uint8Array, cut = 1 << 20): Promise<RawLine[]> => {
  const lines: RawLine[] = [];
  for await (const line of rawLines(cutInto(Buffer.from(content as Uint8Array), cut))) lines.push(line);
  return lines;
};

const textsOf = async (content: string | Uint8Array, cut?: number) =>
  (await read(content, cut)).map((line) => Buffer.from(line.content).toString());

describe('the lines of a log', () => {
  it('lose the carriage return right before their line feed, and the file its byte order mark', async () => {
    expect(await textsOf('\uFEFFx\ry\r\n\uFEFFz\r\n')).toEqual(['x\ry', '\uFEFFz']);
  });

  it('end with a last one without a line feed, unless it is empty', async () => {
    expect(await textsOf('a\nb')).toEqual(['a', 'b']);
    expect(await textsOf('a\nb\n')).toEqual(['a', 'b']);
    expect(await textsOf('')).toEqual([]);
  });

  it('are together all bytes, numbered from 1, however the file is cut into pieces', async () => {
    const byte = fc.oneof(fc.constant(10), fc.integer({ min: 0, max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(byte, { maxLength: 200 }), fc.integer({ min: 1, max: 20 }), async (bytes, cut) => {
        const lines = await read(Uint8Array.from(bytes), cut);
        expect(Buffer.concat(lines.map(({ whole }) => whole))).toEqual(Buffer.from(bytes));
        expect(lines.map(({ line }) => line)).toEqual([...lines.keys()].map((i) => i + 1));
      }),
    );
  });

  it('are refused by number as soon as one is too long, whatever would follow', async () => {
    let pieces = 0;
    const endless = async function* () {
      yield Buffer.from('[09:14] <a> x\n');
      for (;;) {
        pieces += 1;
        yield Buffer.alloc(1000, 'x');
      }
    };
    const lines = rawLines(endless());
    await lines.next();
    await expect(lines.next()).rejects.toThrow('line 2 is longer than 8,192 bytes');
    expect(pieces).toBe(Math.ceil(LINE_BYTES / 1000));
  });
});

describe('the form of a file', () => {
  const utf16 = (text: string) => Buffer.from(text, 'utf16le');
  const line = '[09:14] <a> caf\u00e9\n';

  it.each([
    ['with a mark', utf16(`\uFEFF${line}`), 'utf-16le'],
    ['without a mark', utf16(line), 'utf-16le'],
    ['the other way round', utf16(`\uFEFF${line}`).swap16(), 'utf-16be'],
    ['the other way round without a mark', utf16(line).swap16(), 'utf-16be'],
  ] as const)('is UTF-16 %s, which is read', async (_, bytes, form) => {
    expect(formOf(bytes)).toBe(form);
    const chunks: Uint8Array[] = [];
    for await (const chunk of fromUtf16(cutInto(bytes, 3) as never, form)) chunks.push(chunk);
    expect(await textsOf(Buffer.concat(chunks))).toEqual([line.trim()]);
  });

  it.each(['[09:14] <a> x', '\uFEFFx', '', 'a\0b \0 c and so on'])('is based on ASCII: %j', (text) => {
    expect(formOf(Buffer.from(text))).toBe('ascii based');
  });

  it.each([
    ['1f8b0800', 'packed (gzip)'],
    ['504b0304', 'packed (zip)'],
    ['fffe000041000000', 'UTF-32'],
  ])('%s is refused as %s', (hex, says) => {
    expect(() => formOf(Buffer.from(hex, 'hex'))).toThrow(says);
  });
});
