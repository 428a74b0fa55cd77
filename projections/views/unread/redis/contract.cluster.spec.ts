import { systemClock } from '../../../../schemas/clock.ts';
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
    // Within one partition, positions are in order, so even a marker beyond the head is clamped at its own event.
    partitions: 1,
    clock: systemClock.monotonic,
    logHead: async () => through,
  });
  // A store that was never filled is not trusted.
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
