/** Classifies failures of Cassandra and ScyllaDB: caused by the values, the servers or their tables. */

import { errors, types } from 'cassandra-driver';
import { classifying, reasonOf } from '../guard.ts';

const { responseErrorCodes: code } = types;

/** Scylla and Cassandra word it differently. */
const NO_TABLE = /unconfigured table|table .*does not exist/i;
const NO_KEYSPACE = /keyspace .*does not exist/i;

/** The server understood the request and refused it. */
const isRefusal = (failure: unknown): failure is errors.ResponseError =>
  failure instanceof errors.ResponseError && failure.code === code.invalid;

/** The driver reports what each node it tried said, and a new connection names its keyspace first. */
const isInner = (failure: unknown, is: (inner: unknown) => boolean): boolean =>
  failure instanceof errors.NoHostAvailableError && Object.values(failure.innerErrors ?? {}).some(is);

export const isNoKeyspace = (failure: unknown): boolean =>
  (isRefusal(failure) && NO_KEYSPACE.test(failure.message)) || isInner(failure, isNoKeyspace);

/** Errors that a retry would meet again: of tables, rights or settings. */
const OF_THE_STORE: ReadonlySet<number> = new Set([
  code.syntaxError,
  code.unauthorized,
  code.configError,
  code.alreadyExists,
  code.functionFailure,
]);

/** For example a data centre that does not exist, or a wrong password. */
const isSettingsFault = (failure: unknown): boolean =>
  failure instanceof errors.ArgumentError ||
  failure instanceof errors.AuthenticationError ||
  isInner(failure, isSettingsFault);

/** Only errors about the given values are permanent. An unknown code counts as transient. */
export const classify = classifying((failure) => {
  if (isSettingsFault(failure) || isNoKeyspace(failure)) return 'damaged';
  if (isRefusal(failure)) return NO_TABLE.test(failure.message) ? 'damaged' : 'permanent';
  return failure instanceof errors.ResponseError && OF_THE_STORE.has(failure.code) ? 'damaged' : 'transient';
});

/** Every node tried, with its reason, which the driver's message leaves out. */
export const reasonsOf = (failure: unknown): string => {
  if (!(failure instanceof errors.NoHostAvailableError)) return reasonOf(failure);
  const reasons = Object.entries(failure.innerErrors ?? {}).map(([host, inner]) => `${host}: ${inner}`);
  return reasons.length === 0 ? failure.message : reasons.join('; ');
};
