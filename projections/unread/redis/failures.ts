/** What a failure to store says: of the event, or of Redis. */
import { ReplyError } from 'ioredis';
import type { FailureKind } from '../../runner/port.ts';

/** What the script itself stumbled over: values that cannot be compared. */
const OF_THE_EVENT = /^ERR\b.*user_script/s;
const NOT_OURS = /^WRONGTYPE\b/;

export const kindOf = (failure: unknown): FailureKind => {
  if (failure instanceof TypeError || failure instanceof RangeError) return 'permanent';
  if (!(failure instanceof ReplyError)) return 'transient';
  const { message } = failure as Error;
  if (NOT_OURS.test(message)) return 'damaged';
  return OF_THE_EVENT.test(message) ? 'permanent' : 'transient';
};
