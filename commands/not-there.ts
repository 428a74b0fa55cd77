/**
 * Fields that Discord's API has and no feature here carries out. Taking one and dropping it would tell its sender that it
 * was done, so it is refused. A feature that begins to carry one out takes it from here.
 */

import { type FieldErrors, type ParleyError, parleyError } from '../schemas/errors.ts';

/** By field: the values that ask for nothing beyond `null` and `[]`. */
type NotThere = Readonly<Record<string, readonly unknown[]>>;

const asksForNothing = (value: unknown, harmless: readonly unknown[]): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0) || harmless.includes(value);

const ERROR: FieldErrors = {
  _errors: [{ code: 'FIELD_UNSUPPORTED', message: 'This server does not do this yet: leave it out.' }],
};

/** @returns what refuses them, as the `check` of a command */
export const refuseNotThere =
  (notThere: NotThere) =>
  (fields: object): ParleyError | undefined => {
    const asked: string[] = [];
    // Few fields are sent, and most of them are there.
    for (const name in fields)
      if (Object.hasOwn(notThere, name) && !asksForNothing(fields[name as never], notThere[name]!)) asked.push(name);
    if (asked.length === 0) return undefined;
    return parleyError('invalidForm', { errors: Object.fromEntries(asked.map((name) => [name, ERROR])) });
  };
