/** Codecs for small values that all boundaries share. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { type FieldErrors, type ParleyError, parleyError } from './errors.ts';

const SNOWFLAKE = /^\d{1,19}$/;

/** A Discord-epoch id: up to 63 bits, written as a decimal string. */
export const Snowflake = new t.Type<string, string, unknown>(
  'Snowflake',
  (u): u is string => typeof u === 'string' && SNOWFLAKE.test(u),
  (u, context) =>
    typeof u === 'string' && SNOWFLAKE.test(u)
      ? t.success(u)
      : t.failure(u, context, 'Must be a snowflake: a string of 1 to 19 digits.'),
  t.identity,
);

/** A string of `min` to `max` UTF-16 units. */
export const text = (min: number, max: number, what = 'string') =>
  new t.Type<string, string, unknown>(
    `${what}(${min}-${max})`,
    (u): u is string => typeof u === 'string' && u.length >= min && u.length <= max,
    (u, context) => {
      if (typeof u !== 'string') return t.failure(u, context, 'Must be a string.');
      return u.length >= min && u.length <= max
        ? t.success(u)
        : t.failure(u, context, `Must be between ${min} and ${max} characters long, not ${u.length}.`);
    },
    t.identity,
  );

/** A whole number from `min` to `max`, both included. */
export const integer = (min: number, max: number) =>
  new t.Type<number, number, unknown>(
    `integer(${min}-${max})`,
    (u): u is number => Number.isInteger(u) && (u as number) >= min && (u as number) <= max,
    (u, context) =>
      Number.isInteger(u) && (u as number) >= min && (u as number) <= max
        ? t.success(u as number)
        : t.failure(u, context, `Must be a whole number between ${min} and ${max}.`),
    t.identity,
  );

/** A whole number that arrived as text (query strings, environment variables). */
export const integerText = (min: number, max: number) =>
  new t.Type<number, string, unknown>(
    `integer(${min}-${max})`,
    (u): u is number => typeof u === 'number',
    (u, context) => {
      const n = typeof u === 'string' && /^-?\d{1,16}$/.test(u) ? Number(u) : Number.NaN;
      return n >= min && n <= max
        ? t.success(n)
        : t.failure(u, context, `Must be a whole number between ${min} and ${max}.`);
    },
    String,
  );

/**
 * An optional field: `undefined` and `null` both mean "not given", since libraries differ in what they send.
 * Unlike a union, it tries nothing for an absent field, and reports only the errors of `codec` for a wrong one.
 */
export class OptionalType<C extends t.Mixed> extends t.Type<t.TypeOf<C> | null | undefined, unknown, unknown> {
  readonly codec: C;

  constructor(codec: C) {
    super(
      `${codec.name} or null`,
      (u): u is t.TypeOf<C> | null | undefined => u === null || u === undefined || codec.is(u),
      (u, context) => (u === null || u === undefined ? t.success(u) : codec.validate(u, context)),
      (a) => (a === null || a === undefined ? a : codec.encode(a)),
    );
    this.codec = codec;
  }
}

export const optional = <C extends t.Mixed>(codec: C): OptionalType<C> => new OptionalType(codec);

/** Decodes to a plain value or `undefined`, for callers that only need to know whether the value fits. */
export const decodeOrUndefined = <A>(codec: t.Type<A, unknown, unknown>, value: unknown): A | undefined => {
  const decoded = codec.decode(value);
  return either.isRight(decoded) ? decoded.right : undefined;
};

// Turning io-ts failures into the nested error body that Discord's libraries print.

/** Whether steps into a type only name its parts and not a field. */
const hasParts = (type: t.Decoder<never, unknown>): boolean =>
  type instanceof OptionalType
    ? hasParts(type.codec)
    : type instanceof t.IntersectionType || type instanceof t.UnionType;

/** Path of one failure, without steps that only name a part of a union or an intersection. */
const pathOf = (context: t.Context): string[] => {
  const path: string[] = [];
  for (let i = 1; i < context.length; i += 1) {
    if (!hasParts(context[i - 1]!.type)) path.push(context[i]!.key);
  }
  return path;
};

const messageOf = (error: t.ValidationError): string => {
  if (error.message !== undefined) return error.message;
  const expected = error.context.at(-1)!.type.name;
  return error.value === undefined ? 'This field is required' : `Must be ${expected}.`;
};

const put = (errors: FieldErrors, path: readonly string[], code: string, message: string): void => {
  let node = errors;
  for (const key of path) {
    const inner = Object.hasOwn(node, key) ? node[key] : undefined;
    const next: FieldErrors = inner === undefined || Array.isArray(inner) ? {} : inner;
    if (inner === undefined) Object.defineProperty(node, key, { value: next, enumerable: true });
    node = next;
  }
  // Every branch of a union complains; the first complaint is about the form that was meant.
  if (node._errors === undefined) node._errors = [{ code, message }];
};

const fieldErrors = (failures: t.Errors): FieldErrors => {
  const errors: FieldErrors = {};
  for (const failure of failures) {
    const code = failure.value === undefined ? 'BASE_TYPE_REQUIRED' : 'BASE_TYPE_INVALID';
    put(errors, pathOf(failure.context), code, messageOf(failure));
  }
  return errors;
};

/** Decodes client input. A failure is error 50035: it names each wrong field, the problem and what is accepted. */
export const decode = <A>(codec: t.Type<A, unknown, unknown>, value: unknown): Either<ParleyError, A> =>
  either.mapLeft((failures: t.Errors) => parleyError('invalidForm', { errors: fieldErrors(failures) }))(
    codec.decode(value),
  );
