/** Counting in this process's memory; and what the library that counts says, wherever it does. */

import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Counted, LimiterFactory } from './port.ts';

/** What the library says of one more: it rejects with the state of a rate that is used up. */
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
