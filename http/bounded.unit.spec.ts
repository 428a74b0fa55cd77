import { either } from 'fp-ts';
import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { commands } from '../commands/features/index.ts';
import { readRoutes } from '../read-api/index.ts';
import { replayRoutes } from '../read-api/replay/routes.ts';
import { anyText, ListType, list, OptionalType, optional, SizedType, sized, text } from '../schemas/codecs.ts';
import { FRAME_BYTES, Op } from '../schemas/gateway/frames.ts';
import { identityRoutes } from './identity-routes.ts';

const LONG = 100_000;
/** What a codec of ours without a bound would take. */
const ENDLESS = [
  ...['7', 'a', 'é', '😀', '-'].map((one) => one.repeat(LONG)),
  Array(LONG).fill(0),
  { a: 'a'.repeat(LONG) },
];

const under = (path: string, props: t.Props): string[] =>
  Object.entries(props).flatMap(([name, codec]) => unbounded(codec, `${path}.${name}`));

/** Places in what a codec takes that may be of any length or number. */
const unbounded = (codec: t.Any, path: string): string[] => {
  if (codec instanceof t.InterfaceType || codec instanceof t.PartialType) return under(path, codec.props);
  if (codec instanceof t.IntersectionType || codec instanceof t.UnionType)
    return codec.types.flatMap((one: t.Any) => unbounded(one, path));
  if (codec instanceof OptionalType) return unbounded(codec.codec, path);
  if (codec instanceof t.ExactType || codec instanceof t.ReadonlyType || codec instanceof t.RefinementType)
    return unbounded(codec.type, path);
  if (codec instanceof ListType) return unbounded(codec.type, `${path}[]`);
  if (codec instanceof SizedType) return [];
  if (codec instanceof t.ArrayType || codec instanceof t.ReadonlyArrayType || codec instanceof t.DictionaryType)
    return [path];
  return ENDLESS.some((value) => either.isRight(codec.decode(value))) ? [path] : [];
};

/** As Python's `json.dumps` writes it: an emoji takes 12 bytes. */
const escaped = (value: unknown): string =>
  JSON.stringify(value).replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

const longestTexts = new Map<t.Any, string>();

/** The longest text, by its bytes in a frame, that a codec takes of one character. Commands share most codecs. */
const longestOf = (codec: t.Any): string => {
  const known = longestTexts.get(codec);
  if (known !== undefined) return known;
  const longest = ['😀', '7'].map((one) => {
    for (let length = 5000; length > 0; length -= 1) {
      const given = one.repeat(length);
      if (either.isRight(codec.decode(given))) return given;
    }
    return '';
  });
  const text = longest.reduce((a, b) => (escaped(b).length > escaped(a).length ? b : a));
  longestTexts.set(codec, text);
  return text;
};

/** What is no text of its own: words to choose from. */
const SHORT = 40;
const SEPARATORS = '"": , '.length;

/** Most bytes that a value of this codec takes in a frame. */
const longestFrame = (codec: t.Any): number => {
  if (codec instanceof t.InterfaceType || codec instanceof t.PartialType)
    return Object.entries(codec.props as t.Props).reduce(
      (sum, [name, one]) => sum + name.length + SEPARATORS + longestFrame(one),
      2,
    );
  if (codec instanceof t.IntersectionType)
    return codec.types.reduce((sum: number, one: t.Any) => sum + longestFrame(one), 0);
  if (codec instanceof t.UnionType) return Math.max(...codec.types.map(longestFrame));
  if (codec instanceof OptionalType) return longestFrame(codec.codec);
  if (codec instanceof t.ExactType || codec instanceof t.ReadonlyType || codec instanceof t.RefinementType)
    return longestFrame(codec.type);
  if (codec instanceof ListType) return codec.max * (longestFrame(codec.type) + SEPARATORS);
  // In UTF-8 a character beyond ASCII takes at least a third of what its escape takes.
  if (codec instanceof SizedType) return 3 * codec.bytes;
  if (codec instanceof t.BooleanType) return 'false'.length;
  const bounds = /^integer\((-?\d+)-(-?\d+)\)$/.exec(codec.name);
  if (bounds !== null) return Math.max(bounds[1]!.length, bounds[2]!.length);
  const longest = escaped(longestOf(codec)).length;
  return longest > '""'.length ? longest : SHORT;
};

type Part = readonly [place: string, codec: t.Any];

const partsOf = (name: string, parts: Readonly<Record<string, t.Any | undefined>>): Part[] =>
  Object.entries(parts).flatMap(([part, codec]): Part[] => (codec === undefined ? [] : [[`${name} ${part}`, codec]]));

const nothing = {} as never;
const parts: Part[] = [
  ...commands.flatMap(({ type, params, body }) => partsOf(type, { params, body })),
  ...[...identityRoutes(nothing), ...readRoutes(nothing), ...replayRoutes(nothing)].flatMap(
    ({ method, path, params, query, body }) => partsOf(`${method} ${path}`, { params, query, body }),
  ),
];

describe('what a request carries', () => {
  it.each(parts)('%s has a bound for every text, list and object', (place, codec) => {
    expect(unbounded(codec, place)).toEqual([]);
  });

  it.each(commands)('fits into a frame of a socket: $type', ({ type, params = t.type({}), body = t.type({}) }) => {
    const frame = { op: Op.command, d: { id: '😀'.repeat(64), type, traceparent: 'x'.repeat(55) } };
    const fields = longestFrame(params) + longestFrame(body);
    expect(escaped(frame).length + fields).toBeLessThanOrEqual(FRAME_BYTES);
  });

  it.each<[t.Any, string[]]>([
    [t.string, ['x']],
    [t.array(text(0, 1)), ['x']],
    [t.record(t.string, t.number), ['x']],
    [t.UnknownRecord, ['x']],
    [t.unknown, ['x']],
    [t.type({ a: optional(list(t.string, 3)), b: t.boolean }), ['x.a[]']],
    [
      t.exact(
        t.intersection([
          t.type({ a: anyText(0, 9) }),
          t.partial({ c: sized(list(t.UnknownRecord, 3), 9, 'TOO_LARGE') }),
        ]),
      ),
      [],
    ],
    [t.union([t.literal(1), t.string]), ['x']],
  ])('is found to have none', (codec, found) => {
    expect(unbounded(codec, 'x')).toEqual(found);
  });
});
