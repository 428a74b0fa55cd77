/** Limits counted in Redis, so they hold over all nodes. While it is gone, each node counts for itself. */

import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { Redis } from '../../stores/redis/connection.ts';
import { countedBy } from '../limiter.ts';
import type { LimiterFactory } from '../port.ts';

/** @param namespace the installation's, the prefix of every key */
export const redisLimiter =
  (redis: Redis, namespace: string): LimiterFactory =>
  (name, { count, seconds }) => {
    const limiter = new RateLimiterRedis({
      storeClient: redis.client,
      keyPrefix: `${namespace}:limit:${name}`,
      points: count,
      duration: seconds,
      insuranceLimiter: new RateLimiterMemory({ keyPrefix: name, points: count, duration: seconds }),
      rejectIfRedisNotReady: true,
      // A refused key is refused from this node's memory until the window ends.
      inMemoryBlockOnConsumed: count + 1,
    });
    return countedBy(limiter, count);
  };
