/** Around everything asked of a server: a circuit breaker, which stops asking one that is gone. */

import { setTimeout as wait } from 'node:timers/promises';
import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  type IBackoff,
  SamplingBreaker,
} from 'cockatiel';
import { StoreUnavailable } from '../schemas/errors.ts';

/** permanent: this event will never be taken. transient: the store cannot take anything now. damaged: it must be rebuilt. */
export type FailureKind = 'permanent' | 'transient' | 'damaged';

/** Trying again for as long as it takes. */
const FIRST_MS = 50;
const LONGEST_MS = 5000;

/** The work was ended before it could be done. */
export class Stopped extends Error {}

interface RetryingOptions {
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

export interface GuardOptions {
  /** How long one node may take to answer, in milliseconds; the driver then asks another, where there is one. */
  readonly timeoutMs: number;
  /** Between 0 and 1: share of failures in the last ten seconds beyond which nothing is asked any more. */
  readonly failureRatio: number;
  /** For how long, in milliseconds; then one question is tried. */
  readonly openMs: number;
}

const SAMPLED_MS = 10_000;
/** Fewer questions than this in the sampled time open nothing. */
const SAMPLES = 5;

export class Guard {
  private readonly breaker: CircuitBreakerPolicy;
  private readonly store: string;
  private readonly timeoutMs: number;
  private readonly isOutage: (failure: unknown) => boolean;
  private openUntil = 0;

  /** @param isOutage tells failures of the server from those of the question, which pass through as they are. */
  constructor(store: string, { timeoutMs, failureRatio, openMs }: GuardOptions, isOutage: (f: unknown) => boolean) {
    this.store = store;
    this.timeoutMs = timeoutMs;
    this.isOutage = isOutage;
    this.breaker = circuitBreaker(handleWhen(isOutage), {
      halfOpenAfter: openMs,
      breaker: new SamplingBreaker({
        threshold: failureRatio,
        duration: SAMPLED_MS,
        minimumRps: SAMPLES / (SAMPLED_MS / 1000),
      }),
    });
    this.breaker.onBreak(() => {
      this.openUntil = Date.now() + openMs;
    });
  }

  /** @throws StoreUnavailable when the server fails or is not asked; what else `ask` throws, as it is. */
  async run<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await this.breaker.execute(ask);
    } catch (error) {
      if (error instanceof BrokenCircuitError) {
        const wait = Math.max(1, Math.ceil((this.openUntil - Date.now()) / 1000));
        throw new StoreUnavailable(this.store, wait, { cause: error });
      }
      if (this.isOutage(error))
        throw new StoreUnavailable(this.store, Math.ceil(this.timeoutMs / 1000), { cause: error });
      throw error;
    }
  }
}
