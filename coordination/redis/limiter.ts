/** Limits counted in Redis, so that they hold over all nodes; while it is gone each node counts for itself. */

import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { Redis } from '../../stores/redis/connection.ts';
import { counted } from '../limiter.ts';
import type { LimiterFactory } from '../port.ts';

/** @param namespace of the installation, in front of every key. */
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
      // Who is refused is refused by this node's memory until the time is over.
      inMemoryBlockOnConsumed: count + 1,
    });
    return { take: (key) => counted(limiter.consume(key)) };
  };
