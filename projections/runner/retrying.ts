/** Trying again for as long as it takes. */
import { setTimeout as wait } from 'node:timers/promises';
import { ExponentialBackoff, type IBackoff } from 'cockatiel';

const FIRST_MS = 50;
const LONGEST_MS = 5000;

/** The work was ended before it could be done. */
export class Stopped extends Error {}

export interface RetryingOptions {
  /** Ends the waiting at once; what is under way is finished first. */
  readonly signal: AbortSignal;
  /** False for a failure that another try would meet again; it is thrown. */
  readonly again: (failure: unknown) => boolean;
  /** Longest pause, in milliseconds. */
  readonly longestMs?: number;
  readonly onRetry: (failure: unknown, attempt: number, nextMs: number) => void;
}

/** @throws Stopped, or the failure for which `again` said no. */
export const retrying = async <T>(work: () => Promise<T>, options: RetryingOptions): Promise<T> => {
  const { signal, again, onRetry, longestMs = LONGEST_MS } = options;
  let pause: IBackoff<unknown> | undefined;
  for (let attempt = 1; ; attempt += 1) {
    if (signal.aborted) throw new Stopped();
    try {
      return await work();
    } catch (failure) {
      if (!again(failure)) throw failure;
      pause = (pause ?? new ExponentialBackoff({ initialDelay: FIRST_MS, maxDelay: longestMs })).next(undefined);
      onRetry(failure, attempt, pause.duration);
      await wait(pause.duration, undefined, { signal }).catch(() => {
        throw new Stopped();
      });
    }
  }
};
