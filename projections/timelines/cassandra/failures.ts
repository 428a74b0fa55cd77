/** What a failure of Cassandra says: of the event, of the store, or of its tables. */
import { errors, types } from 'cassandra-driver';
import type { FailureKind } from '../../runner/port.ts';

const { responseErrorCodes: code } = types;

/** Scylla and Cassandra word it differently. */
const NO_TABLE = /unconfigured table|table .*does not exist|keyspace .*does not exist/i;

/** Thrown while a value is encoded, before anything is sent. */
const isValueFault = (failure: unknown): boolean =>
  failure instanceof TypeError || failure instanceof SyntaxError || failure instanceof RangeError;

/** Only what is said about the event's own values is permanent: all else is worth waiting for. */
export const kindOf = (failure: unknown): FailureKind => {
  if (isValueFault(failure)) return 'permanent';
  if (!(failure instanceof errors.ResponseError) || failure.code !== code.invalid) return 'transient';
  return NO_TABLE.test(failure.message) ? 'damaged' : 'permanent';
};

/** Answers that another try would meet again; they speak of the question, not of the server. */
const OF_THE_QUESTION: ReadonlySet<number> = new Set([
  code.syntaxError,
  code.unauthorized,
  code.invalid,
  code.configError,
  code.alreadyExists,
  code.functionFailure,
]);

/** Whether the server could not be asked, or could not answer: what counts for the circuit breaker. */
export const isOutage = (failure: unknown): boolean => {
  if (isValueFault(failure) || failure instanceof errors.ArgumentError) return false;
  return !(failure instanceof errors.ResponseError) || !OF_THE_QUESTION.has(failure.code);
};
