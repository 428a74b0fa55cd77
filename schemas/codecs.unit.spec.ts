import fc from 'fast-check';
import { either } from 'fp-ts';
import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import {
  anyText,
  BitSet,
  checkedText,
  decode,
  decodeOrUndefined,
  IsoTime,
  integer,
  integerText,
  list,
  optional,
  Snowflake,
  SnowflakeBound,
  sized,
  text,
  traceparentOf,
  visibleText,
} from './codecs.ts';
import { parseJson } from './json.ts';

describe('a snowflake', () => {
  it('is a whole number of up to 63 bits in its one spelling', () => {
    for (const id of ['0', '7', '1234567890123456789', '9223372036854775807'])
      expect(decodeOrUndefined(Snowflake, id)).toBe(id);
    const wrong = ['', '00', '07', '9223372036854775808', '12345678901234567890', '-1', '1.0', ' 1', '1\n', '٣'];
    for (const no of [...wrong, '9'.repeat(100_000), -7, 1.5, 2 ** 53, NaN, null, undefined, {}])
      expect(decodeOrUndefined(Snowflake, no)).toBeUndefined();
  });

  it('may come as a number, and keeps its digits', () => {
    for (const [sent, read] of [
      ['7', '7'],
      ['9007199254740991', '9007199254740991'],
      [' 9007199254740993', '9007199254740993'],
      [' 1097123456789012345', '1097123456789012345'],
      ['-0', '0'],
    ] as const)
      for (const codec of [Snowflake, BitSet]) expect(decodeOrUndefined(codec, parseJson(sent))).toBe(read);
    for (const no of [' 9223372036854775808', ' 10971234567890123450', '1e3000', '-1', '[1097123456789012345]'])
      expect(decodeOrUndefined(Snowflake, parseJson(no))).toBeUndefined();
    expect(decodeOrUndefined(list(Snowflake, 3), parseJson('[1, 1097123456789012345, "2"]'))).toEqual([
      ...['1', '1097123456789012345', '2'],
    ]);
  });

  it('may be of any 19 digits where it is a place between ids', () => {
    for (const id of ['0', '007', '9999999999999999999']) expect(decodeOrUndefined(SnowflakeBound, id)).toBe(id);
    for (const no of ['', '12345678901234567890', '-1', 7])
      expect(decodeOrUndefined(SnowflakeBound, no)).toBeUndefined();
  });
});

describe('a bit set', () => {
  it('is a whole number of up to 64 bits in its one spelling', () => {
    for (const bits of ['0', '1024', '18446744073709551615']) expect(decodeOrUndefined(BitSet, bits)).toBe(bits);
    for (const no of ['', '01024', '18446744073709551616', '99999999999999999999', '0x10', -7])
      expect(decodeOrUndefined(BitSet, no)).toBeUndefined();
  });
});

describe('a text', () => {
  it('has a length within its bounds, in code points', () => {
    const name = text(2, 4, 'name');
    for (const ok of ['ab', 'abcd', '👍👍', '👍👍👍👍']) expect(decodeOrUndefined(name, ok)).toBe(ok);
    for (const no of ['', 'a', 'abcde', '👍', '👍👍👍👍a', 7, null, ['a', 'b']])
      expect(decodeOrUndefined(name, no)).toBeUndefined();
    expect(decodeOrUndefined(anyText(0, 2000), '😀'.repeat(2000))).toBeDefined();
    expect(decodeOrUndefined(anyText(0, 2000), '😀'.repeat(2001))).toBeUndefined();
  });

  it('of a name has something to see', () => {
    const name = visibleText(1, 8, 'name');
    for (const ok of ['a', ' a ', '❤️', '\u200ba']) expect(decodeOrUndefined(name, ok)).toBe(ok);
    for (const no of ['', ' ', '\u3164', '\u200b\u2800', '\ufe0f', '\u00a0\n', 'a\0'])
      expect(decodeOrUndefined(name, no)).toBeUndefined();
  });
});

describe('a list', () => {
  const few = list(text(1, 4), 3);

  it('has at most so many items', () => {
    expect(decodeOrUndefined(few, ['a', 'b', 'c'])).toEqual(['a', 'b', 'c']);
    for (const no of [['a', 'b', 'c', 'd'], ['abcde'], 'a', {}, null])
      expect(decodeOrUndefined(few, no)).toBeUndefined();
    expect(few.is(['a', 'b', 'c', 'd'])).toBe(false);
  });

  it('has no two items of one key, and names the second', () => {
    const distinct = list(t.type({ id: t.string }), 3, ({ id }) => id);
    expect(decodeOrUndefined(distinct, [{ id: 'a' }, { id: 'b' }])).toHaveLength(2);
    expect(distinct.is([{ id: 'a' }, { id: 'a' }])).toBe(false);
    expect(decode(distinct, [{ id: 'a' }, { id: 'b' }, { id: 'a' }])).toMatchObject(
      either.left({ errors: { 2: { _errors: [{ code: 'SET_TYPE_ALREADY_CONTAINS_VALUE' }] } } }),
    );
  });

  it('is refused for its length or its size before its items are looked at, good or not', () => {
    let looks = 0;
    const item = checkedText('item', () => {
      looks += 1;
      return undefined;
    });
    const tooMany = { code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 3 or fewer in length.' };
    for (const one of [7, 'a'])
      expect(decode(list(item, 3), Array(100_000).fill(one))).toEqual(
        either.left(expect.objectContaining({ errors: { _errors: [tooMany] } })),
      );
    expect(decode(sized(list(item, 3), 12, 'TOO_LARGE'), ['a'.repeat(100_000)])).toMatchObject(
      either.left({ errors: { _errors: [{ code: 'TOO_LARGE' }] } }),
    );
    expect(looks).toBe(0);
  });
});

describe('what is bounded by size', () => {
  const small = sized(list(t.UnknownRecord, 2), 12, 'TOO_LARGE');

  it('has at most so many bytes as JSON', () => {
    expect(decodeOrUndefined(small, [{ a: 'é' }])).toEqual([{ a: 'é' }]);
    for (const no of [[{ a: 'éé' }], [7], 'a', null]) expect(decodeOrUndefined(small, no)).toBeUndefined();
    expect(decode(small, [{ a: 'éé' }])).toMatchObject(either.left({ errors: { _errors: [{ code: 'TOO_LARGE' }] } }));
    expect(decode(small, [{}, {}, {}])).toMatchObject(
      either.left({ errors: { _errors: [{ code: 'BASE_TYPE_MAX_LENGTH' }] } }),
    );
  });
});

describe('a text that a store keeps', () => {
  const notStorable = ['\0', 'a\0', '\ud800', 'a\udc00b', '\udc00\ud800'];

  it('is refused if it holds NUL or half of a surrogate pair', () => {
    for (const no of notStorable)
      expect(decode(text(1, 64), no)).toMatchObject(
        either.left({ code: 50035, errors: { _errors: [{ message: expect.stringContaining('NUL') }] } }),
      );
    for (const any of notStorable) expect(decodeOrUndefined(anyText(1, 64), any)).toBe(any);
  });

  it('is the same after a way through UTF-8', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
        (given) => {
          const back = Buffer.from(given).toString();
          const kept = back === given && !given.includes('\0') ? given : undefined;
          expect(decodeOrUndefined(text(0, 1000), given)).toBe(kept);
        },
      ),
    );
  });
});

describe('a time', () => {
  it('is a date and time of ISO 8601 with its zone', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
        (date) => {
          expect(decodeOrUndefined(IsoTime, date.toISOString())).toBe(date.getTime());
        },
      ),
    );
    const noon = Date.UTC(2024, 4, 1, 12);
    for (const ok of [
      '2024-05-01T12:00Z',
      '2024-05-01T12:00:00.0000000 00:00',
      '2024-05-01T12:00:00.000000+00:00',
      '2024-05-01T14:30:00+02:30',
    ])
      expect(decodeOrUndefined(IsoTime, ok)).toBe(noon);
  });

  it.each([
    ...['1', 'foo 1', '', 'May 1 2024', '2024', '2024-05-01', '2024-05-01T12:00:00', '2024-05-01 12:00:00Z'],
    ...['2024-02-31T00:00:00Z', '2024-13-01T00:00:00Z', '2024-05-01T25:00:00Z', '2024-05-01T12:00:00+99:00', 7],
  ])('is not %j', (given) => {
    expect(decodeOrUndefined(IsoTime, given)).toBeUndefined();
  });
});

describe('a traceparent', () => {
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const whole = `00-${trace}-b7ad6b7169203331-01`;

  it("in W3C's form is taken as it is", () => {
    expect(traceparentOf(whole)).toBe(whole);
  });

  it.each([
    ...['', 'nonsense', `${whole}-more`, ` ${whole}`, whole.toUpperCase(), `ff${whole.slice(2)}`, null, 7, [whole]],
    ...[whole.replace(trace, '0'.repeat(32)), whole.replace('b7ad6b7169203331', '0'.repeat(16))],
  ])('that is malformed counts as none: %j', (given) => {
    expect(traceparentOf(given)).toBeUndefined();
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
