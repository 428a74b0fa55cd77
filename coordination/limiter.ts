/** A limiter in this process's memory, and the conversion of the library's results for any store. */

import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Counted, Limiter, LimiterFactory } from './port.ts';

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
export const countedBy = (limiter: RateLimiterAbstract, count: number): Limiter => ({
  take: (key) => counted(limiter.consume(key)),
  look: async (key) => {
    const state = await limiter.get(key);
    return state === null ? { allowed: true, remaining: count, resetMs: 0 } : stateOf(state, state.remainingPoints > 0);
  },
});

export const memoryLimiter: LimiterFactory = (name, { count, seconds }) => {
  const limiter = new RateLimiterMemory({ keyPrefix: name, points: count, duration: seconds });
  return countedBy(limiter, count);
};
