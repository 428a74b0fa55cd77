/** What failures of Redis say: of the values, of the server, or of what it keeps. */

import { ReplyError } from 'ioredis';
import { type FailureKind, isValueFault } from '../guard.ts';

/** Answers of a server that cannot do now what it otherwise would. All others would meet the same question again. */
const NOT_NOW =
  /^(LOADING|MASTERDOWN|CLUSTERDOWN|READONLY|TRYAGAIN|BUSY|OOM|MISCONF|NOREPLICAS|UNKILLABLE|MOVED|ASK)\b/;
/** What a script of ours itself stumbled over: values that cannot be compared. */
const OF_THE_VALUES = /^ERR\b.*user_script/s;

/**
 * Only what is said about the given values is permanent. All other answers, known or not, are the store's fault: a key that is
 * not ours (WRONGTYPE), a password, rights.
 */
export const classify = (failure: unknown): FailureKind => {
  if (isValueFault(failure)) return 'permanent';
  if (!(failure instanceof ReplyError)) return 'transient';
  const { message } = failure as Error;
  if (NOT_NOW.test(message)) return 'transient';
  return OF_THE_VALUES.test(message) ? 'permanent' : 'damaged';
};
