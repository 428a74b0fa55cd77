/** Discord-epoch snowflakes: 42 bits of milliseconds since 2015-01-01, 10 of worker, 12 of counter; as decimal strings. */

/** 2015-01-01T00:00:00Z in milliseconds since 1970. */
export const SNOWFLAKE_EPOCH = 1_420_070_400_000;

const LOW_BITS = 22n;
const LOW_MASK = (1n << LOW_BITS) - 1n;

/** Time of the id, in milliseconds since 1970. */
export const snowflakeTime = (id: string): number => Number(BigInt(id) >> LOW_BITS) + SNOWFLAKE_EPOCH;

/** @param low worker and counter: the 22 bits that distinguish ids of one millisecond. */
export const snowflakeAt = (time: number, low: bigint): string =>
  ((BigInt(Math.max(0, Math.floor(time) - SNOWFLAKE_EPOCH)) << LOW_BITS) | (low & LOW_MASK)).toString();

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
    if (time > last) {
      last = time;
      counter = 0;
    } else {
      counter += 1;
      // 4,096 ids in a millisecond: use the next millisecond rather than repeat one.
      if (counter === 4096) {
        last += 1;
        counter = 0;
      }
    }
    return snowflakeAt(last, low | BigInt(counter));
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
