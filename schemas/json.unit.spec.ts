import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonError, LongInteger, MAX_DEPTH, parseJson } from './json.ts';

const nested = (levels: number, open = '[', close = ']'): unknown =>
  JSON.parse(open.repeat(levels) + (open === '[' ? '' : '1') + close.repeat(levels));

describe('the limits of JSON', () => {
  it('let plain values through, up to the deepest level', () => {
    for (const fine of [null, 7, 'x', [], {}, { constructor: 'x', prototype: {} }, nested(MAX_DEPTH)])
      expect(jsonError(fine)).toBeUndefined();
    expect(jsonError(nested(MAX_DEPTH, '{"a":', '}'))).toBeUndefined();
  });

  it('refuse what nests deeper, however deep, and name the outermost field', () => {
    for (const levels of [MAX_DEPTH, 4_080, 100_000])
      expect(jsonError({ content: 'x', embeds: nested(levels) })).toMatchObject({
        code: 50035,
        errors: { embeds: { _errors: [{ code: 'INVALID_JSON', message: expect.stringContaining('64 levels') }] } },
      });
  });

  it.each([
    ['{"__proto__": {}}', '__proto__'],
    ['{"constructor": {"prototype": 1}}', 'constructor'],
    ['{"embeds": [{"a": {"__proto__": null}}]}', 'embeds'],
    ['[{"constructor": {"prototype": 1}}]', '0'],
  ])('refuse keys that change a prototype: %s', (json, field) => {
    const error = jsonError(JSON.parse(json))!;
    expect([error.code, Object.keys(error.errors!)]).toEqual([50035, [field]]);
  });
});

describe('JSON with long numbers', () => {
  const digitsIn = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (_, inner) => (inner instanceof LongInteger ? { digits: inner.digits } : inner)));

  it.each([
    ['{"id":1097123456789012345}', { id: { digits: '1097123456789012345' } }],
    [
      '[1097123456789012345, 1097123456789012346 ,\n 7]',
      [{ digits: '1097123456789012345' }, { digits: '1097123456789012346' }, 7],
    ],
    [' 1097123456789012345', { digits: '1097123456789012345' }],
    [
      '{"a":" 1097123456789012345","b":"\\", 1097123456789012345\\""}',
      { a: ' 1097123456789012345', b: '", 1097123456789012345"' },
    ],
    ['{"id":9007199254740991}', { id: 9007199254740991 }],
    [
      '{"x":0.1097123456789012345,"y":1e30,"z":-1097123456789012500}',
      { x: 0.10971234567890123, y: 1e30, z: -1097123456789012500 },
    ],
  ])('keeps the digits outside strings: %s', (text, read) => {
    expect(digitsIn(parseJson(text))).toEqual(read);
  });

  it.each([
    '{1097123456789012345: 1}',
    '[ 1097123456789012345"x"]',
    '{"a": 01097123456789012345}',
    '[ 1097123456789012345 1]',
  ])('makes nothing valid that is not: %s', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });

  it('reads everything else as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.stringify(parseJson(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });
});
