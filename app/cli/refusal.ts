/** A refusal of the server in words, for people at a terminal. */

import type { FieldErrors } from '../../schemas/errors.ts';

const ofField = (errors: FieldErrors, path: string): readonly string[] =>
  Object.entries(errors).flatMap(([name, inner]) =>
    Array.isArray(inner)
      ? inner.map(({ message }) => (path === '' ? message : `${path}: ${message}`))
      : ofField(inner, path === '' ? name : `${path}.${name}`),
  );

/** What is wrong with each field, or the message where no field is at fault. */
export const refusalText = (refusal: {
  readonly message: string;
  readonly errors?: FieldErrors | undefined;
}): string => (refusal.errors === undefined ? refusal.message : ofField(refusal.errors, '').join('; '));
