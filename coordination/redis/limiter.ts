/** Limits counted in Redis, so they hold over all nodes. While it is gone, each node counts for itself. */

import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Clock } from '../../schemas/clock.ts';
import { lru } from '../../schemas/lru.ts';
import type { Redis } from '../../stores/redis/connection.ts';
import { memoryLimiter } from '../limiter.ts';
import type { Counted, Limiter, LimiterFactory } from '../port.ts';

const stateOf = ({ remainingPoints, msBeforeNext }: RateLimiterRes, allowed: boolean): Counted => ({
  allowed,
  remaining: Math.max(0, remainingPoints),
  resetMs: Math.max(1, msBeforeNext),
});

/** Converts the library's result, which rejects with the state when a rate is used up. */
const counted = async (consumed: Promise<RateLimiterRes>): Promise<Counted> => {
  try {
    return stateOf(await consumed, true);
  } catch (rejected) {
    if (rejected instanceof RateLimiterRes) return stateOf(rejected, false);
    throw rejected;
  }
};

/** @param count attempts in a window */
const countedBy = (limiter: RateLimiterRedis, count: number): Limiter => ({
  take: (key, seconds) => counted(limiter.consume(key, 1, seconds === undefined ? {} : { customDuration: seconds })),
  look: async (key) => {
    const state = await limiter.get(key);
    return state === null ? { allowed: true, remaining: count, resetMs: 0 } : stateOf(state, state.remainingPoints > 0);
  },
});

/** Most keys remembered as used up. */
const REFUSED = 10_000;

/** @param namespace the installation's, the prefix of every key */
export const redisLimiter = (redis: Redis, namespace: string, clock: Clock): LimiterFactory => {
  const inMemory = memoryLimiter(clock);
  return (name, rate) => {
    const limiter = new RateLimiterRedis({
      storeClient: redis.client,
      keyPrefix: `${namespace}:limit:${name}`,
      points: rate.count,
      duration: rate.seconds,
      rejectIfRedisNotReady: true,
    });
    const shared = countedBy(limiter, rate.count);
    const alone = inMemory(name, rate);
    /** Keys that are used up, with the monotonic end of their window: they are refused without asking Redis. */
    const refused = lru<string, number>(REFUSED);
    return {
      async take(key, seconds) {
        const left = (refused.get(key) ?? 0) - clock.monotonic();
        if (left > 0) return { allowed: false, remaining: 0, resetMs: Math.ceil(left) };
        const taken = await shared.take(key, seconds).catch(() => alone.take(key, seconds));
        if (!taken.allowed) refused.set(key, clock.monotonic() + taken.resetMs);
        return taken;
      },
      look: (key) => shared.look(key).catch(() => alone.look(key)),
    };
  };
};
