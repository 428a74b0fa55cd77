import { either } from 'fp-ts';
import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { commands } from '../commands/features/index.ts';
import { readRoutes } from '../read-api/index.ts';
import { replayRoutes } from '../read-api/replay/routes.ts';
import { anyText, ListType, list, OptionalType, optional, SizedType, sized, text } from '../schemas/codecs.ts';
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
