/** Limits counted in Redis, so that they hold over all nodes; while it is gone each node counts for itself. */

import { RateLimiterRedis } from 'rate-limiter-flexible';
import { type LimiterFactory, memoryLimiter } from '../../commands/limits.ts';
import type { Redis } from '../../stores/redis/connection.ts';

/** @param namespace of the installation, in front of every key. */
export const redisLimiter =
  (redis: Redis, namespace: string): LimiterFactory =>
  (name, limit) =>
    new RateLimiterRedis({
      storeClient: redis.client,
      keyPrefix: `${namespace}:limit:${name}`,
      points: limit.count,
      duration: limit.seconds,
      insuranceLimiter: memoryLimiter(name, limit),
      rejectIfRedisNotReady: true,
      // Who is refused is refused by this node's memory until the time is over.
      inMemoryBlockOnConsumed: limit.count + 1,
    });
