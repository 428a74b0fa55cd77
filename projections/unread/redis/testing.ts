/** For specs: unread counts in a namespace of their own. */
import type { ParleyEvent } from '../../../schemas/events/index.ts';
import { partitionOf } from '../../partitions.ts';
import type { Redis } from '../../redis/index.ts';
import { dropNamed, randomName } from '../../redis/testing.ts';
import { Keys } from './keys.ts';
import { RedisUnreadRows } from './rows.ts';
import { RedisUnreadStore } from './store.ts';
import { RedisUnreadWriter } from './writer.ts';

export interface TestUnread {
  readonly namespace: string;
  readonly keys: Keys;
  readonly writer: RedisUnreadWriter;
  /** One for each process that reads or writes. */
  rows(): RedisUnreadRows;
  store(clock?: () => number): RedisUnreadStore;
  /** Removes every key, as a Redis does that lost its memory. */
  empty(): Promise<void>;
}

export const testUnread = (redis: Redis, partitions: number, logHead: () => number, generation = 1): TestUnread => {
  const namespace = randomName();
  const keys = new Keys({ namespace, generation, partitions });
  const writer = new RedisUnreadWriter(redis, keys);
  return {
    namespace,
    keys,
    writer,
    rows: () => new RedisUnreadRows(redis, keys),
    store: (clock = () => 0) => new RedisUnreadStore({ writer, logHead: async () => logHead(), clock }),
    empty: () => dropNamed(redis, namespace),
  };
};

/** Events of one partition beyond a position and up to another. */
export const eventsOf = (
  all: readonly ParleyEvent[],
  { partition, partitions, from, through }: { partition: number; partitions: number; from: number; through: number },
): readonly ParleyEvent[] =>
  all.slice(from, through).filter((event) => partitionOf(event.stream, partitions) === partition);
