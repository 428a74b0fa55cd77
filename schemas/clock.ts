/** Time as it is handed in, to all that waits or compares times. */

import pTimeout from 'p-timeout';

export interface Clock {
  /** Milliseconds since 1970, for what people read and the log keeps. It may jump, either way: never take a duration from it. */
  wallTime(): number;
  /** Milliseconds since a moment of its own that never go back: for durations, time-outs and deadlines. */
  monotonic(): number;
  /** Calls `work` once, after `ms` milliseconds. Does not keep the process alive. @returns how to cancel it */
  setTimer(ms: number, work: () => void): () => void;
  /** Calls `work` every `ms` milliseconds. Does not keep the process alive. @returns how to end it */
  every(ms: number, work: () => void): () => void;
  /** Resolves after `ms` milliseconds, or as soon as the signal aborts. Somebody waits, so it keeps the process alive. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  wallTime: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(ms, work) {
    const timer = setTimeout(work, ms).unref();
    return () => clearTimeout(timer);
  },
  every(ms, work) {
    const timer = setInterval(work, ms).unref();
    return () => clearInterval(timer);
  },
  delay: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

/** As the library takes them: ones that keep the process alive, since somebody waits. */
const timersOf = (clock: Clock) => ({
  setTimeout: (work: () => void, ms: number): AbortController => {
    const ended = new AbortController();
    void clock.delay(ms, ended.signal).then(() => ended.signal.aborted || work());
    return ended;
  },
  clearTimeout: (ended: AbortController): void => ended.abort(),
});

/** What `work` comes to, or `undefined` when that takes longer than `ms` milliseconds; `work` itself goes on then. */
export const within = <T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> =>
  pTimeout(work, { milliseconds: Math.max(1, ms), message: false, customTimers: timersOf(clock) as never });
