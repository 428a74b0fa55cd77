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
    // Mostly equally long, so those that end first come first. One that ends behind a longer one stays until that ends.
    const windows = new Map<string, { used: number; readonly until: number }>();
    return {
      async take(key, ownSeconds = seconds) {
        const now = clock.monotonic();
        for (const [ended, { until }] of windows) {
          if (until > now) break;
          windows.delete(ended);
        }
        const known = windows.get(key);
        const isOpen = known !== undefined && known.until > now;
        if (!isOpen) windows.delete(key);
        const window = isOpen ? known : { used: 0, until: now + ownSeconds * 1000 };
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
