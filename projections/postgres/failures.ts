/** What a failure of PostgreSQL says: of the event, of the server, or of its tables. */
import { isFinal, sqlStateOf } from '../../schemas/sqlstate.ts';
import type { FailureKind } from '../runner/port.ts';

/** Thrown while values are put together, before anything is sent. */
const isValueFault = (failure: unknown): boolean =>
  failure instanceof TypeError || failure instanceof SyntaxError || failure instanceof RangeError;

/** Of the values themselves: data, constraints, and what is too large for an index. */
const OF_THE_VALUES = /^(22|23|54)/;
/** No such table, column or schema. */
const NO_TABLE = /^(42P01|42703|3F000)/;

/** Only what is said about the event's own values is permanent: all else is worth waiting for. */
export const kindOf = (failure: unknown): FailureKind => {
  if (isValueFault(failure)) return 'permanent';
  const state = sqlStateOf(failure);
  if (state === undefined) return 'transient';
  if (NO_TABLE.test(state)) return 'damaged';
  return OF_THE_VALUES.test(state) ? 'permanent' : 'transient';
};

/** Whether the server could not be asked, or could not answer: what counts for the circuit breaker. */
export const isOutage = (failure: unknown): boolean => !isValueFault(failure) && !isFinal(failure);
