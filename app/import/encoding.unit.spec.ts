import { describe, expect, it } from 'vitest';
import { type Decoded, decoderOf, EncodingCheck } from './encoding.ts';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

const decoded = (...lines: Buffer[]): Decoded[] => {
  const check = new EncodingCheck();
  for (const [i, line] of lines.entries()) check.add(line, i + 1);
  return lines.map(check.decode());
};

const textsOf = (...lines: Buffer[]) => decoded(...lines).map(({ text }) => text);

describe('a log', () => {
  it('in Latin-1 is read as that', () => {
    expect(textsOf(latin1('un caf\xe9'), latin1('\xdcbergr\xf6\xdfe \x80'), latin1('na\xefve'))).toEqual([
      'un caf\u00e9',
      '\u00dcbergr\u00f6\u00dfe \u20ac',
      'na\u00efve',
    ]);
  });

  it('of people with different encodings is read line by line', () => {
    expect(textsOf(Buffer.from('caf\u00e9'), latin1('caf\xe9'), Buffer.from('\u0434\u0430'))).toEqual([
      'caf\u00e9',
      'caf\u00e9',
      '\u0434\u0430',
    ]);
  });

  it.each([
    ['at its end', Buffer.from('caf\u00e9 \u20ac').subarray(0, -1), 'caf\u00e9 \uFFFD'],
    ['within', latin1('caf\xc3\xa9 \xff'), 'caf\u00e9 \uFFFD'],
    ['where a server has cut it', latin1(`${'x'.repeat(420)}\xc3`), `${'x'.repeat(420)}\uFFFD`],
  ])('in damaged UTF-8 %s never becomes Latin-1', (_, line, text) => {
    expect(decoded(line)).toEqual([{ text, replaced: 1 }]);
  });

  it('has as many replacements as bytes that stand for nothing, and those that were written do not count', () => {
    const line = Buffer.concat([Buffer.from('\uFFFD stays '), Buffer.from([0xff, 0xfe])]);
    expect(decoded(line)).toEqual([{ text: '\uFFFD stays \uFFFD\uFFFD', replaced: 2 }]);
  });

  it.each([
    ['KOI8-R', 'f0d2c9d7c5d42c20cdc9d2'],
    ['windows-1251', 'cff0e8e2e5f22c20ece8f0'],
    ['Shift_JIS', '82b182f182c982bf82cd'],
  ])('in %s is refused rather than read wrong', (_, hex) => {
    expect(() => decoded(Buffer.from('ascii'), Buffer.from(hex, 'hex'))).toThrow(
      'line 2 and others are neither in UTF-8 nor in Latin-1: name their encoding with --encoding',
    );
  });

  it('in an encoding that is named is read in it', () => {
    expect(decoderOf('windows-1251')(Buffer.from('cff0e8e2e5f2', 'hex')).text).toBe(
      '\u041f\u0440\u0438\u0432\u0435\u0442',
    );
    expect(() => decoderOf('latin-9000')).toThrow('there is no encoding latin-9000');
  });
});
