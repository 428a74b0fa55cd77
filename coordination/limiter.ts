/** A limiter in this process's memory. */

import type { Clock } from '../schemas/clock.ts';
import type { LimiterFactory } from './port.ts';

/**
 * Fixed windows by the monotonic clock. The library that counts in Redis also counts in memory, but by the wall clock: set
 * back by two days, it would refuse for two days.
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
