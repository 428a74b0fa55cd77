/** The clock passed to all code that waits or compares times. */

import pTimeout from 'p-timeout';

export interface Clock {
  /** Milliseconds since 1970, for people and the log. It may jump either way: never compute a duration from it. */
  wallTime(): number;
  /** Milliseconds since an arbitrary moment. Never goes back: for durations, time-outs and deadlines. */
  monotonic(): number;
  /** Calls `work` once, after `ms` milliseconds. Does not keep the process alive. @returns how to cancel it */
  setTimer(ms: number, work: () => void): () => void;
  /** Calls `work` every `ms` milliseconds. Does not keep the process alive. @returns how to end it */
  every(ms: number, work: () => void): () => void;
  /** Resolves after `ms` milliseconds, or as soon as the signal aborts. Keeps the process alive: a caller waits. */
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

/** Timers in the library's form. They keep the process alive, as a caller is waiting. */
const timersOf = (clock: Clock) => ({
  setTimeout: (work: () => void, ms: number): AbortController => {
    const ended = new AbortController();
    void clock.delay(ms, ended.signal).then(() => ended.signal.aborted || work());
    return ended;
  },
  clearTimeout: (ended: AbortController): void => ended.abort(),
});

/** The result of `work`, or `undefined` if it takes longer than `ms` milliseconds; `work` itself then continues. */
export const within = <T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> =>
  pTimeout(work, { milliseconds: Math.max(1, ms), message: false, customTimers: timersOf(clock) as never });

/** The result of `work`, which itself continues. @throws the signal's reason as soon as it aborts */
export const unlessAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  pTimeout(work, { milliseconds: Number.POSITIVE_INFINITY, signal });
