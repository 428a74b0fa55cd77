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

/** Given as the reason, so that no error is made with the stack that it would have. */
const DONE = 'done';

/**
 * The result of `work`, or `undefined` if it takes longer than `ms` milliseconds; `work` itself then continues. `p-timeout`
 * makes two errors with their stacks each time, a fortieth of what a message costs in a cluster.
 */
export const within = <T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> =>
  new Promise((resolve, reject) => {
    const waiting = new AbortController();
    void clock.delay(Math.max(1, ms), waiting.signal).then(() => resolve(undefined));
    work.then(
      (result) => {
        resolve(result);
        waiting.abort(DONE);
      },
      (failure: unknown) => {
        reject(failure);
        waiting.abort(DONE);
      },
    );
  });

/** The result of `work`, which itself continues. @throws the signal's reason as soon as it aborts */
export const unlessAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  pTimeout(work, { milliseconds: Number.POSITIVE_INFINITY, signal });
