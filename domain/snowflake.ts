/** Discord-epoch snowflakes: 42 bits of milliseconds since 2015-01-01, 10 of worker, 12 of counter; as decimal strings. */

import { StoreUnavailable } from '../schemas/errors.ts';

/** 2015-01-01T00:00:00Z in milliseconds since 1970. */
export const SNOWFLAKE_EPOCH = 1_420_070_400_000;

/** The last millisecond that an id can hold, in 2084: ids have 63 bits, as a signed number of 64 bits has. */
export const LAST_ID_TIME = SNOWFLAKE_EPOCH + 2 ** 41 - 1;

const LOW_BITS = 22n;
const LOW_MASK = (1n << LOW_BITS) - 1n;

/** Time of the id, in milliseconds since 1970. */
export const snowflakeTime = (id: string): number => Number(BigInt(id) >> LOW_BITS) + SNOWFLAKE_EPOCH;

/** For sorting: the older id first. */
export const compareIds = (a: string, b: string): number =>
  BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;

/** No id can hold the time: the clock is wrong. */
export class NoIdLeft extends StoreUnavailable {
  constructor(time: number) {
    super('ids', 30, { cause: new RangeError(`no id can hold the time ${time}: the last one is ${LAST_ID_TIME}`) });
  }
}

/**
 * @param low worker and counter: the 22 bits that distinguish ids of one millisecond.
 * @throws NoIdLeft after `LAST_ID_TIME`
 */
export const snowflakeAt = (time: number, low: bigint): string => {
  if (!(time < LAST_ID_TIME + 1)) throw new NoIdLeft(time);
  return ((BigInt(Math.max(0, Math.floor(time) - SNOWFLAKE_EPOCH)) << LOW_BITS) | (low & LOW_MASK)).toString();
};

/**
 * The id of the next message of a channel: at least one millisecond after the head's, whatever the clocks of the nodes
 * say, so ids grow with the ordinal.
 * @param headTime milliseconds since 1970 of the head's id; 0 when there is none.
 * @param time the clock, or the original time of an imported message.
 * @param low see `snowflakeAt`
 */
export const messageIdAfter = (headTime: number, time: number, low: bigint): string =>
  snowflakeAt(Math.max(time, SNOWFLAKE_EPOCH, headTime + 1), low);

/** Number of workers that ten bits distinguish. */
export const WORKERS = 1024;

/** Makes ids, each only once in this process. */
export type SnowflakeSource = (time: number) => string;

/**
 * 0 to 1023, leased to one process at a time. Called for each id, since a process that loses its lease gets another.
 * @throws while there is no lease: no id may be made then
 */
export type Worker = () => number;

export const snowflakeSource = (worker: Worker): SnowflakeSource => {
  let last = 0;
  let counter = 0;
  return (time) => {
    const low = BigInt(worker()) << 12n;
    // 4,096 ids in a millisecond: use the next millisecond rather than repeat one.
    const isFull = counter === 4095;
    const next =
      time > last ? { at: time, count: 0 } : { at: isFull ? last + 1 : last, count: isFull ? 0 : counter + 1 };
    const id = snowflakeAt(next.at, low | BigInt(next.count));
    last = next.at;
    counter = next.count;
    return id;
  };
};

/** Makes the 22 low bits of message ids, distinct for 4,096 in a row. Their milliseconds come from the channel. */
export const lowBitsSource = (worker: Worker): (() => bigint) => {
  let counter = 0;
  return () => {
    counter = (counter + 1) & 0xfff;
    return BigInt(worker() * 4096 + counter);
  };
};
