/** Query parameters that a path does not have. */

import leven from 'leven';
import { type FieldErrors, type ParleyError, parleyError } from '../schemas/errors.ts';
import type { Route } from '../schemas/http/route.ts';
import { lazy } from '../schemas/lazy.ts';
import { jsonSchema } from './openapi.ts';

const problemOf = (given: string, known: readonly string[]): string => {
  if (known.length === 0) return 'This path takes no parameters.';
  const nearest = known.reduce((best, name) => (leven(given, name) < leven(given, best) ? name : best));
  return `This path has no such parameter; the nearest is ${nearest}.`;
};

/**
 * Refuses parameters that a path of our own does not have. On Discord's paths libraries send some that mean nothing here.
 * @returns what to ask each query about
 */
export const unknownQuery = (route: Route): ((query: unknown) => ParleyError | undefined) => {
  if (route.ours !== true) return () => undefined;
  const names = lazy(() => (route.query === undefined ? [] : Object.keys(jsonSchema(route.query).properties ?? {})));
  return (query) => {
    const given = Object.keys(query as object);
    if (given.length === 0) return undefined;
    const known = names();
    const unknown = given.filter((name) => !known.includes(name));
    if (unknown.length === 0) return undefined;
    const errors = unknown.map((name): [string, FieldErrors] => [
      name,
      { _errors: [{ code: 'UNKNOWN_PARAMETER', message: problemOf(name, known) }] },
    ]);
    return parleyError('invalidForm', { errors: Object.fromEntries(errors) });
  };
};
