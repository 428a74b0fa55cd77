import { connected, dropNamed, randomName } from '../../../../stores/redis/testing.ts';
import { unreadContract } from '../contract.ts';
import { openRedisUnread } from './store.ts';

unreadContract('Redis', async () => {
  const redis = await connected();
  const namespace = randomName();
  let through = 0;
  const { rows, store } = openRedisUnread({
    redis,
    namespace,
    generation: 1,
    // In one partition, where positions are in order, even a marker beyond the head is clamped as of its moment.
    partitions: 1,
    logHead: async () => through,
  });
  // What was never filled is not believed.
  await store.commit({ partition: 0, from: 0, events: [], through: 1 });
  through = 1;
  return {
    rows,
    apply: async (events) => {
      if (events.length === 0) return;
      const from = through;
      through += events.length;
      await store.commit({ partition: 0, from, events, through });
    },
    close: async () => {
      await dropNamed(redis, namespace);
      redis.close();
    },
  };
});
