/** Classifies failures of Redis: caused by the values, the server or its data. */

import { ReplyError } from 'ioredis';
import { classifying } from '../guard.ts';

/** Errors of a server that cannot serve now. Any other error would meet a retry again. */
const NOT_NOW =
  /^(LOADING|MASTERDOWN|CLUSTERDOWN|READONLY|TRYAGAIN|BUSY|OOM|MISCONF|NOREPLICAS|UNKILLABLE|MOVED|ASK)\b/;
/** Errors inside our own scripts, such as values that cannot be compared. */
const OF_THE_VALUES = /^ERR\b.*user_script/s;

/**
 * Only errors about the given values are permanent. All others, known or not, are the store's fault: a key that is not
 * ours (WRONGTYPE), a password, rights.
 */
export const classify = classifying((failure) => {
  if (!(failure instanceof ReplyError)) return 'transient';
  const { message } = failure as Error;
  if (NOT_NOW.test(message)) return 'transient';
  return OF_THE_VALUES.test(message) ? 'permanent' : 'damaged';
});
