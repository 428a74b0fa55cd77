/** Heads, read markers and mentions in Redis. */
import type { Redis } from '../../redis/index.ts';
import type { PartitionStore } from '../../runner/partition-store.ts';
import type { UnreadRows } from '../port.ts';
import { Keys, type UnreadPlace } from './keys.ts';
import { RedisUnreadRows } from './rows.ts';
import { RedisUnreadStore } from './store.ts';
import { RedisUnreadWriter } from './writer.ts';

export { checksumOf, checksums, type StreamChecksum } from './checksums.ts';
export { dropGeneration, listGenerations } from './generations.ts';
export type { UnreadPlace } from './keys.ts';

/** One generation's unread counts; nothing has to be there. @param logHead position of the log's last event */
export const openRedisUnread = ({
  redis,
  logHead,
  ...place
}: UnreadPlace & { readonly redis: Redis; readonly logHead: () => Promise<number> }): {
  readonly rows: UnreadRows;
  readonly store: PartitionStore;
} => {
  const keys = new Keys(place);
  return {
    rows: new RedisUnreadRows(redis, keys),
    store: new RedisUnreadStore({ writer: new RedisUnreadWriter(redis, keys), logHead }),
  };
};
