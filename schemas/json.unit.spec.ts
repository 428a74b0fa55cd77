import { describe, expect, it } from 'vitest';
import { jsonError, MAX_DEPTH } from './json.ts';

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
