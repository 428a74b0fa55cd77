/** A limiter in this process's memory, and the conversion of the library's results for any store. */

import { type RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';
import type { Clock } from '../schemas/clock.ts';
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

/**
 * Fixed windows by the monotonic clock. The library reads the wall clock: set back by two days, it would refuse for two
 * days.
 */
export const memoryLimiter =
  (clock: Clock): LimiterFactory =>
  (_name, { count, seconds }) => {
    // All windows are equally long, so those that end first come first.
    const windows = new Map<string, { used: number; readonly until: number }>();
    return {
      async take(key) {
        const now = clock.monotonic();
        for (const [ended, { until }] of windows) {
          if (until > now) break;
          windows.delete(ended);
        }
        const window = windows.get(key) ?? { used: 0, until: now + seconds * 1000 };
        windows.set(key, window);
        window.used += 1;
        return {
          allowed: window.used <= count,
          remaining: Math.max(0, count - window.used),
          resetMs: Math.max(1, Math.ceil(window.until - now)),
        };
      },
      async look(key) {
        const window = windows.get(key);
        const left = window === undefined ? 0 : Math.ceil(window.until - clock.monotonic());
        if (window === undefined || left <= 0) return { allowed: true, remaining: count, resetMs: 0 };
        return { allowed: window.used < count, remaining: Math.max(0, count - window.used), resetMs: left };
      },
    };
  };
