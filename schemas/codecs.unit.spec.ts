import fc from 'fast-check';
import { either } from 'fp-ts';
import { describe, expect, it } from 'vitest';
import { decodeOrUndefined, integer, integerText, optional, Snowflake, text } from './codecs.ts';

describe('a snowflake', () => {
  it('is a string of 1 to 19 digits', () => {
    for (const id of ['0', '7', '1234567890123456789']) expect(decodeOrUndefined(Snowflake, id)).toBe(id);
    for (const no of ['', '12345678901234567890', '-1', '1.0', ' 1', '1\n', '٣', 7, null, undefined, {}])
      expect(decodeOrUndefined(Snowflake, no)).toBeUndefined();
  });
});

describe('a text', () => {
  it('has a length within its bounds, in UTF-16 units', () => {
    const name = text(2, 4, 'name');
    for (const ok of ['ab', 'abcd', '👍', '👍👍']) expect(decodeOrUndefined(name, ok)).toBe(ok);
    for (const no of ['', 'a', 'abcde', '👍👍a', 7, null, ['a', 'b']])
      expect(decodeOrUndefined(name, no)).toBeUndefined();
  });
});

describe('a whole number', () => {
  it('is within its bounds, both included', () => {
    for (const ok of [0, 1, 10]) expect(decodeOrUndefined(integer(0, 10), ok)).toBe(ok);
    for (const no of [-1, 11, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null, 1n])
      expect(decodeOrUndefined(integer(0, 10), no)).toBeUndefined();
  });

  it('is read from text as the same number', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: 1000 }), (n) => {
        expect(decodeOrUndefined(integerText(-500, 500), String(n))).toBe(Math.abs(n) <= 500 ? n : undefined);
      }),
    );
    for (const no of ['', ' 1', '1.5', '1e3', '0x1', '+1', 1, undefined])
      expect(decodeOrUndefined(integerText(0, 5000), no)).toBeUndefined();
  });
});

describe('an optional field', () => {
  it('may be missing or null, and must fit its codec otherwise', () => {
    const maybe = optional(integer(0, 5));
    for (const ok of [undefined, null, 3]) expect(maybe.decode(ok)).toEqual(either.right(ok));
    expect(either.isLeft(maybe.decode(6))).toBe(true);
  });
});
