/** What a failure of Redis says: of the server, or of the question. */
import { ReplyError } from 'ioredis';

/** Answers of a server that cannot do now what it otherwise would. All others would meet the same question again. */
const NOT_NOW =
  /^(LOADING|MASTERDOWN|CLUSTERDOWN|READONLY|TRYAGAIN|BUSY|OOM|MISCONF|NOREPLICAS|UNKILLABLE|MOVED|ASK)\b/;

/** Whether the server could not be asked, or could not answer: what counts for the circuit breaker. */
export const isOutage = (failure: unknown): boolean => {
  if (failure instanceof TypeError || failure instanceof RangeError) return false;
  return !(failure instanceof ReplyError) || NOT_NOW.test((failure as Error).message);
};

/** Scripts are gone after a restart, and on a node that has just become the master. */
export const isUnknownScript = (failure: unknown): boolean =>
  failure instanceof ReplyError && (failure as Error).message.startsWith('NOSCRIPT');
