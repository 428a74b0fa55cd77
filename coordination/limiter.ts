/** A limiter in this process's memory, and the conversion of the library's results for any store. */

import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Counted, LimiterFactory } from './port.ts';

/** Converts the library's result, which rejects with the state when a rate is used up. */
export const counted = async (consumed: Promise<RateLimiterRes>): Promise<Counted> => {
  const stateOf = ({ remainingPoints, msBeforeNext }: RateLimiterRes, allowed: boolean): Counted => ({
    allowed,
    remaining: Math.max(0, remainingPoints),
    resetMs: Math.max(1, msBeforeNext),
  });
  try {
    return stateOf(await consumed, true);
  } catch (rejected) {
    if (rejected instanceof RateLimiterRes) return stateOf(rejected, false);
    throw rejected;
  }
};

export const memoryLimiter: LimiterFactory = (name, { count, seconds }) => {
  const limiter = new RateLimiterMemory({ keyPrefix: name, points: count, duration: seconds });
  return { take: (key) => counted(limiter.consume(key)) };
};
