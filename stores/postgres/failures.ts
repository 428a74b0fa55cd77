/** Classifies PostgreSQL's error codes (SQLSTATE) for log, vault, coordination and views alike. */

import { classifying } from '../guard.ts';

/** Five letters or digits; `undefined` for a failure that the server did not report. */
export const sqlStateOf = (error: unknown): string | undefined => {
  const { severity, code } = error instanceof Error ? (error as { severity?: unknown; code?: unknown }) : {};
  return typeof severity === 'string' && typeof code === 'string' ? code : undefined;
};

/**
 * Connections, deadlocks, resources, an operator, the operating system; and a replica that refuses writes after a
 * fail-over.
 */
const PASSING = /^(08|40|53|55|57|58|25006)/;
/** Errors of the values: data, constraints, and values too large for an index. */
const OF_THE_VALUES = /^(22|23|54)/;

/**
 * Only errors about the given values are permanent. An unknown code counts as the store's fault, so no event is skipped
 * for it.
 */
export const classify = classifying((failure) => {
  const state = sqlStateOf(failure);
  if (state === undefined || PASSING.test(state)) return 'transient';
  return OF_THE_VALUES.test(state) ? 'permanent' : 'damaged';
});

/** Reported while a transaction ends, or the server: it may have been stored. */
const IN_DOUBT = /^(08|40003|57P|58|XX)/;

/** Whether a statement that was sent may have been carried out all the same. Any other error undoes all of it. */
export const isInDoubt = (failure: unknown): boolean => {
  const state = sqlStateOf(failure);
  return state === undefined || IN_DOUBT.test(state);
};

/** A full disk. */
export const isFull = (error: unknown): boolean => sqlStateOf(error) === '53100';
