/**
 * The wall clock as ids and events take it. Ids only grow, so one moment in the far future would keep all later ids there:
 * a jump counts once the clock has stayed there for a while.
 */

import type { Clock } from '../schemas/clock.ts';

/** Further from the time that has passed than this, the clock has jumped. Milliseconds, as is what follows. */
export const JUMP_MS = 10 * 60_000;
/** How long the clock must stay where it jumped to. */
export const BELIEVED_AFTER_MS = 60_000;

/** Hears how far the clock has jumped ahead (back if negative), in milliseconds, once for each jump. */
export type OnJump = (aheadMs: number) => void;

/** A clock whose wall time is that of `clock` or, after a jump, the last one before it and what has passed since. */
export const steadyClock = (clock: Clock, onJump: OnJump): Clock => {
  /** What the wall clock is ahead of the monotonic clock. */
  let trusted = clock.wallTime() - clock.monotonic();
  let jumped: { readonly ahead: number; readonly since: number } | undefined;
  const wallTime = (): number => {
    const elapsed = clock.monotonic();
    const ahead = clock.wallTime() - elapsed;
    if (Math.abs(ahead - trusted) <= JUMP_MS) {
      jumped = undefined;
      trusted = ahead;
    } else if (jumped === undefined || Math.abs(ahead - jumped.ahead) > JUMP_MS) {
      jumped = { ahead, since: elapsed };
      onJump(ahead - trusted);
    } else if (elapsed - jumped.since >= BELIEVED_AFTER_MS) {
      jumped = undefined;
      trusted = ahead;
    }
    return Math.round(trusted + elapsed);
  };
  return {
    wallTime,
    monotonic: () => clock.monotonic(),
    setTimer: (ms, work) => clock.setTimer(ms, work),
    every: (ms, work) => clock.every(ms, work),
    delay: (ms, signal) => clock.delay(ms, signal),
  };
};
