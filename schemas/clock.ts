/** Time as it is handed in, to all that waits or compares times. */

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

/** What `work` comes to, or `undefined` when that takes longer than `ms` milliseconds; `work` itself goes on then. */
export const within = async <T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> => {
  const done = new AbortController();
  try {
    return await Promise.race([work, clock.delay(ms, done.signal).then(() => undefined)]);
  } finally {
    done.abort();
  }
};
