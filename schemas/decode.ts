/** From io-ts failures to the nested error body that Discord's libraries print. */
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { type FieldErrors, type ParleyError, parleyError } from './errors.ts';
import { OptionalType } from './primitives.ts';

/** Whether the steps into a type only name its parts: they stand for no field. */
const hasParts = (type: t.Decoder<never, unknown>): boolean =>
  type instanceof OptionalType
    ? hasParts(type.codec)
    : type instanceof t.IntersectionType || type instanceof t.UnionType;

/** Path of one failure, without the steps that only name a part of a union or an intersection. */
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
  // Of a union every branch complains; the first complaint is the one about the form that was meant.
  if (node._errors === undefined) node._errors = [{ code, message }];
};

export const fieldErrors = (failures: t.Errors): FieldErrors => {
  const errors: FieldErrors = {};
  for (const failure of failures) {
    const code = failure.value === undefined ? 'BASE_TYPE_REQUIRED' : 'BASE_TYPE_INVALID';
    put(errors, pathOf(failure.context), code, messageOf(failure));
  }
  return errors;
};

/** Decodes what a client sent; a failure is error 50035 naming each field, what is wrong with it and what would be right. */
export const decode = <A>(codec: t.Type<A, unknown, unknown>, value: unknown): Either<ParleyError, A> =>
  either.mapLeft((failures: t.Errors) => parleyError('invalidForm', { errors: fieldErrors(failures) }))(
    codec.decode(value),
  );
