/** Codecs for small values that all boundaries share. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { asGiven, givesBackAsGiven } from './as-given.ts';
import { type FieldErrors, type ParleyError, parleyError } from './errors.ts';
import { LongInteger } from './json.ts';
import { isStorable, lengthOf, nameProblem } from './text.ts';

/** A string taken as it is, unless `problemOf` names a problem: its message, perhaps with an error code of its own. */
export const checkedText = (name: string, problemOf: (given: unknown) => string | Problem | undefined) =>
  asGiven(
    new t.Type<string, string, unknown>(
      name,
      (u): u is string => problemOf(u) === undefined,
      (u, context) => {
        const problem = problemOf(u);
        if (problem === undefined) return t.success(u as string);
        return typeof problem === 'string'
          ? t.failure(u, context, problem)
          : failureAs(problem.code, u, context, problem.message);
      },
      t.identity,
    ),
  );

/** Digits, which some libraries send as a number. */
const digitsOf = (given: unknown): unknown => {
  if (given instanceof LongInteger) return given.digits;
  return Number.isSafeInteger(given) && (given as number) >= 0 ? String(given) : given;
};

/** A string of digits, taken as a number too unless `problemOf` names a problem, which is then the message. */
const checkedDigits = (name: string, problemOf: (given: unknown) => string | undefined) =>
  asGiven(
    new t.Type<string, string, unknown>(
      name,
      (u): u is string => problemOf(u) === undefined,
      (u, context) => {
        const digits = digitsOf(u);
        const problem = problemOf(digits);
        return problem === undefined ? t.success(digits as string) : t.failure(u, context, problem);
      },
      t.identity,
    ),
  );

/** A whole number of up to so many bits, written in decimal in the one way that has no leading zeros. */
const wholeNumber = (name: string, bits: number, what: string) => {
  const most = String(2n ** BigInt(bits) - 1n);
  return checkedDigits(name, (u) => {
    if (typeof u !== 'string' || u.length > most.length || !/^\d+$/.test(u))
      return `Must be ${what}: a string of 1 to ${most.length} digits.`;
    const isCanonical = u === '0' || u[0] !== '0';
    return isCanonical && BigInt(u) <= BigInt(most)
      ? undefined
      : `Must be ${what} of up to ${bits} bits, without leading zeros.`;
  });
};

/** A Discord-epoch id: up to 63 bits, as a decimal string. Each id has one spelling. */
export const Snowflake = wholeNumber('Snowflake', 63, 'a snowflake');

/** A place among ids, where a page begins or ends: nothing need have this id. */
export const SnowflakeBound = checkedText('Snowflake', (u) =>
  typeof u === 'string' && /^\d{1,19}$/.test(u) ? undefined : 'Must be a snowflake: a string of 1 to 19 digits.',
);

/** A bit set of up to 64 bits, as a decimal string. */
export const BitSet = wholeNumber('BitSet', 64, 'a bit set');

const textWith = (min: number, max: number, what: string, problem: (given: string) => string | undefined) =>
  checkedText(`${what}(${min}-${max})`, (u) => {
    if (typeof u !== 'string') return 'Must be a string.';
    // Code points are at most as many as UTF-16 units and at least half as many: most texts need not be counted.
    const fits = u.length <= max && u.length >= 2 * min;
    const length = fits ? u.length : lengthOf(u);
    return fits || (length >= min && length <= max) ? problem(u) : wrongLength(min, max);
  });

interface Problem {
  readonly code: string;
  readonly message: string;
}

/** Discord's codes and words for a text or a list that is too long or too short. */
const wrongLength = (min: number, max: number): Problem =>
  min === 0
    ? { code: 'BASE_TYPE_MAX_LENGTH', message: `Must be ${max} or fewer in length.` }
    : { code: 'BASE_TYPE_BAD_LENGTH', message: `Must be between ${min} and ${max} in length.` };

const notStorable = (given: string): string | undefined =>
  isStorable(given) ? undefined : 'Must not contain NUL or half of a surrogate pair.';

/** A string of `min` to `max` code points that every store gives back as it was. */
export const text = (min: number, max: number, what = 'string') => textWith(min, max, what, notStorable);

/** As `text`, for names: something of it can be seen, and it leaves the text around it as it is. */
export const visibleText = (min: number, max: number, what: string) =>
  textWith(min, max, what, (given) => notStorable(given) ?? nameProblem(given));

/** A string of `min` to `max` code points, for what no store keeps in clear: sealed text, and passwords to check. */
export const anyText = (min: number, max: number, what = 'string') => textWith(min, max, what, () => undefined);

/** A failure with an error code of its own. */
const failureAs = <A>(code: string, value: unknown, context: t.Context, message: string): t.Validation<A> =>
  either.left([{ value, context, message, code } as t.ValidationError]);

/** A list of `min` to `max`, of which no two have the same `keyOf`. A longer one is refused before any of its items is looked at. */
export class ListType<C extends t.Mixed> extends t.ArrayType<C, t.TypeOf<C>[], t.OutputOf<C>[]> {
  readonly max: number;
  readonly min: number;

  constructor(codec: C, max: number, keyOf?: (item: t.TypeOf<C>) => unknown, min = 0) {
    const any = t.array(codec);
    const hasRoom = (u: unknown): boolean => !Array.isArray(u) || (u.length >= min && u.length <= max);
    const repeated = (items: readonly t.TypeOf<C>[]): number => {
      if (keyOf === undefined) return -1;
      const keys = items.map(keyOf);
      return keys.findIndex((key, index) => keys.indexOf(key) < index);
    };
    super(
      `${min === 0 ? 'up to' : `${min} to`} ${max} of ${codec.name}`,
      (u): u is t.TypeOf<C> => hasRoom(u) && any.is(u) && repeated(u) < 0,
      (u, context) => {
        if (!hasRoom(u)) {
          const { code, message } = wrongLength(min, max);
          return failureAs(code, u, context, message);
        }
        const valid = any.validate(u, context);
        const index = either.isLeft(valid) ? -1 : repeated(valid.right);
        if (either.isLeft(valid) || index < 0) return valid;
        const place = t.appendContext(context, String(index), codec, valid.right[index]);
        return failureAs('SET_TYPE_ALREADY_CONTAINS_VALUE', u, place, 'The list already contains this one.');
      },
      any.encode,
      codec,
    );
    this.max = max;
    this.min = min;
  }
}

/** One of some words. */
export const wordOf = <W extends string>(...words: readonly W[]): t.KeyofC<Record<W, null>> => {
  const any = t.keyof(Object.fromEntries(words.map((word) => [word, null])) as Record<W, null>);
  const choices = words.map((word) => `'${word}'`).join(', ');
  return new t.KeyofType(
    words.join(' or '),
    any.is,
    (u, context) =>
      any.is(u) ? t.success(u) : failureAs('BASE_TYPE_CHOICES', u, context, `Value must be one of (${choices}).`),
    any.encode,
    any.keys,
  );
};

export const list = <C extends t.Mixed>(
  codec: C,
  max: number,
  keyOf?: (item: t.TypeOf<C>) => unknown,
  min = 0,
): ListType<C> => new ListType(codec, max, keyOf, min);

/** What `codec` takes, of at most `bytes` as JSON. `code` is the error code of one that is larger. */
export class SizedType<C extends t.Mixed> extends t.Type<t.TypeOf<C>, t.OutputOf<C>, unknown> {
  readonly codec: C;
  readonly bytes: number;

  constructor(codec: C, bytes: number, code: string) {
    // Ahead of its parts, which then are few.
    const fits = (u: unknown) => u === undefined || Buffer.byteLength(JSON.stringify(u)) <= bytes;
    super(
      `${codec.name} of up to ${bytes} bytes`,
      (u): u is t.TypeOf<C> => fits(u) && codec.is(u),
      (u, context) => {
        if (!fits(u)) return failureAs(code, u, context, `Must not exceed ${bytes} bytes as JSON.`);
        return codec.validate(u, context);
      },
      codec.encode,
    );
    this.codec = codec;
    this.bytes = bytes;
    asGiven(this, codec);
  }
}

export const sized = <C extends t.Mixed>(codec: C, bytes: number, code: string): SizedType<C> =>
  new SizedType(codec, bytes, code);

/** A whole number from `min` to `max`, both included. */
export const integer = (min: number, max: number) => {
  const fits = (u: unknown): u is number => Number.isInteger(u) && (u as number) >= min && (u as number) <= max;
  return asGiven(
    new t.Type<number, number, unknown>(
      `integer(${min}-${max})`,
      fits,
      (u, context) =>
        fits(u) ? t.success(u) : t.failure(u, context, `Must be a whole number between ${min} and ${max}.`),
      t.identity,
    ),
  );
};

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

const ISO_TIME = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[ +-]\d\d:\d\d)$/;

/**
 * A zone's `+` may be a blank, which a query makes of one that is not escaped.
 * @returns milliseconds since 1970; `undefined` unless it is a date and time of ISO 8601 with its zone
 */
export const timeFromIso = (given: string): number | undefined => {
  const date = ISO_TIME.exec(given)?.[1];
  if (date === undefined) return undefined;
  // Date.parse reads 31 February as 2 March.
  const midnight = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(date)) return undefined;
  const time = Date.parse(given.replace(',', '.').replace(' ', '+'));
  return Number.isNaN(time) ? undefined : time;
};

/** A time that arrived as text, in milliseconds since 1970. */
export const IsoTime = new t.Type<number, string, unknown>(
  'ISO 8601 time',
  (u): u is number => typeof u === 'number',
  (u, context) => {
    const time = typeof u === 'string' ? timeFromIso(u) : undefined;
    return time === undefined
      ? t.failure(u, context, 'Must be an ISO 8601 time with its zone, such as 2024-05-01T12:00:00Z.')
      : t.success(time);
  },
  (time) => new Date(time).toISOString(),
);

/** As `IsoTime`, kept as text. */
export const IsoTimeText = checkedText('ISO 8601 time', (u) =>
  typeof u === 'string' && timeFromIso(u) !== undefined
    ? undefined
    : 'Must be an ISO 8601 time with its zone, such as 2024-05-01T12:00:00Z.',
);

const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** A caller's `traceparent` in W3C's form. A malformed one counts as none. */
export const traceparentOf = (given: unknown): string | undefined =>
  typeof given === 'string' && TRACEPARENT.test(given) ? given : undefined;

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
    asGiven(this, codec);
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

/** What a codec accepts, in words for the one who sent something else. */
const inWords = (type: t.Decoder<never, unknown>): string => {
  if (type instanceof OptionalType || type instanceof SizedType) return inWords(type.codec);
  if (type instanceof t.UnionType) return [...new Set(type.types.map(inWords))].join(' or ');
  if (type instanceof t.RefinementType || type instanceof t.ReadonlyType || type instanceof t.ExactType)
    return inWords(type.type);
  if (type instanceof t.LiteralType) return JSON.stringify(type.value);
  if (type instanceof t.KeyofType) return Object.keys(type.keys).join(' or ');
  if (type instanceof t.ArrayType || type instanceof t.ReadonlyArrayType || type instanceof t.TupleType)
    return 'a list';
  if (type instanceof t.StringType) return 'a string';
  if (type instanceof t.NumberType) return 'a number';
  if (type instanceof t.BooleanType) return 'true or false';
  if (type instanceof t.NullType) return 'null';
  return 'an object';
};

const isChoice = (type: t.Decoder<never, unknown>): boolean =>
  type instanceof OptionalType ? isChoice(type.codec) : type instanceof t.UnionType;

/** What the value had to be. Of a value that is one of several, all of them are named. */
const wanted = (context: t.Context): t.Decoder<never, unknown> => {
  let at = context.length - 1;
  if (context[at]!.type instanceof t.LiteralType) while (at > 0 && isChoice(context[at - 1]!.type)) at -= 1;
  return context[at]!.type;
};

/** Whether a field must be there and is not, or is null, which counts as that. A whole value that is null has another form. */
const isMissing = ({ value, context }: t.ValidationError): boolean => {
  if (value !== null) return value === undefined;
  let at = context.length - 1;
  while (at > 0 && hasParts(context[at - 1]!.type)) at -= 1;
  return at > 0 && !(context[at - 1]!.type instanceof t.PartialType);
};

/** Discord's words. */
const REQUIRED = 'This field is required';

const messageOf = (error: t.ValidationError): string => {
  // Whatever its codec says of a value that has another form.
  if (isMissing(error)) return REQUIRED;
  return error.message ?? `Must be ${inWords(wanted(error.context))}.`;
};

const codeOf = (failure: t.ValidationError): string => {
  if (isMissing(failure)) return 'BASE_TYPE_REQUIRED';
  return 'code' in failure ? String(failure.code) : 'BASE_TYPE_INVALID';
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
    put(errors, pathOf(failure.context), codeOf(failure), messageOf(failure));
  }
  return errors;
};

/** Decodes client input. A failure is error 50035: it names each wrong field, the problem and what is accepted. */
export const decode = <A>(codec: t.Type<A, unknown, unknown>, value: unknown): Either<ParleyError, A> => {
  if (givesBackAsGiven(codec) && codec.is(value)) return either.right(value);
  const decoded = codec.decode(value);
  return either.isRight(decoded)
    ? decoded
    : either.left(parleyError('invalidForm', { errors: fieldErrors(decoded.left) }));
};

/** The path of the first wrong field, and what is wrong with it; `undefined` when the value fits. */
export const wrongIn = (codec: t.Decoder<unknown, unknown>, value: unknown): string | undefined => {
  const decoded = codec.decode(value);
  if (either.isRight(decoded)) return undefined;
  const [failure] = decoded.left;
  return [pathOf(failure!.context).join('.'), messageOf(failure!)].filter((part) => part !== '').join(': ');
};
