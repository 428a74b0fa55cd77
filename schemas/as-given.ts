/**
 * Codecs that give back what fits just as it was given. Whether it fits their guard tells, without the objects that io-ts
 * makes of each field to say where it failed.
 */

import * as t from 'io-ts';

const ours = new WeakMap<t.Mixed, readonly t.Mixed[]>();

/** Says of a codec of ours that it is one, if those that it is made of are. */
export const asGiven = <C extends t.Mixed>(codec: C, ...parts: readonly t.Mixed[]): C => {
  ours.set(codec, parts);
  return codec;
};

const NONE: readonly t.Mixed[] = [];
const SIMPLE = [
  ...[t.StringType, t.NumberType, t.BooleanType, t.NullType, t.UndefinedType, t.UnknownType],
  ...[t.LiteralType, t.KeyofType, t.AnyDictionaryType],
];

/** `undefined`: it may make something else of what it is given. */
const partsOf = (codec: t.Mixed): readonly t.Mixed[] | undefined => {
  const known = ours.get(codec);
  if (known !== undefined) return known;
  if (codec instanceof t.InterfaceType || codec instanceof t.PartialType) return Object.values(codec.props);
  if (codec instanceof t.IntersectionType || codec instanceof t.UnionType) return codec.types;
  if (codec instanceof t.ArrayType) return [codec.type];
  return SIMPLE.some((kind) => codec instanceof kind) ? NONE : undefined;
};

const answers = new WeakMap<t.Mixed, boolean>();

/** Whether it is such a codec, in all its parts. */
export const givesBackAsGiven = (codec: t.Mixed): boolean => {
  const known = answers.get(codec);
  if (known !== undefined) return known;
  const answer = partsOf(codec)?.every(givesBackAsGiven) === true;
  answers.set(codec, answer);
  return answer;
};
