/** What a failure of Cassandra says: of the event, of the store, or of its tables. */
import { errors, types } from 'cassandra-driver';
import type { FailureKind } from '../../runner/port.ts';

const { responseErrorCodes: code } = types;

/** Scylla and Cassandra word it differently. */
const NO_TABLE = /unconfigured table|table .*does not exist/i;
const NO_KEYSPACE = /keyspace .*does not exist/i;

/** Understood, and refused for what it says. */
const isRefusal = (failure: unknown): failure is errors.ResponseError =>
  failure instanceof errors.ResponseError && failure.code === code.invalid;

export const isNoKeyspace = (failure: unknown): boolean => isRefusal(failure) && NO_KEYSPACE.test(failure.message);

/** Thrown while a value is encoded, before anything is sent. */
const isValueFault = (failure: unknown): boolean =>
  failure instanceof TypeError || failure instanceof SyntaxError || failure instanceof RangeError;

/** Only what is said about the event's own values is permanent: all else is worth waiting for. */
export const kindOf = (failure: unknown): FailureKind => {
  if (isValueFault(failure)) return 'permanent';
  if (!isRefusal(failure)) return 'transient';
  return NO_TABLE.test(failure.message) || isNoKeyspace(failure) ? 'damaged' : 'permanent';
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

/** A data centre that does not exist, say. The driver says so of each node it asked. */
export const isSettingsFault = (failure: unknown): boolean =>
  failure instanceof errors.ArgumentError ||
  (failure instanceof errors.NoHostAvailableError &&
    Object.values(failure.innerErrors ?? {}).some((inner) => inner instanceof errors.ArgumentError));

/** Whether the server could not be asked, or could not answer: what counts for the circuit breaker. */
export const isOutage = (failure: unknown): boolean => {
  if (isValueFault(failure) || isSettingsFault(failure)) return false;
  return !(failure instanceof errors.ResponseError) || !OF_THE_QUESTION.has(failure.code);
};
