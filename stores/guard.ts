/** Around everything asked of a server: what its failures mean, trying again, and a circuit breaker for one that is gone. */

import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  type IBackoff,
  SamplingBreaker,
} from 'cockatiel';
import { type Clock, systemClock } from '../schemas/clock.ts';
import { StoreUnavailable } from '../schemas/errors.ts';

/**
 * What a failure of a store means, as each driver's `classify` tells.
 * transient: the server cannot answer now; the same may work later.
 * permanent: it lies in what was given; the very same will never be taken.
 * damaged: it lies in the store: tables, rights or settings are not as they should be, and somebody has to mend them.
 */
export type FailureKind = 'transient' | 'permanent' | 'damaged';

export type Classify = (failure: unknown) => FailureKind;

/** A bug or a value that cannot be encoded: thrown before anything is sent. */
export const isValueFault = (failure: unknown): boolean =>
  failure instanceof TypeError || failure instanceof SyntaxError || failure instanceof RangeError;

/** What is wrong, in words for an operator: of a store that is unavailable its cause, of several failures each. */
export const reasonOf = (failure: unknown): string => {
  if (failure instanceof StoreUnavailable && failure.cause !== undefined) return reasonOf(failure.cause);
  if (failure instanceof AggregateError) return failure.errors.map(reasonOf).join('; ');
  return failure instanceof Error ? failure.message || failure.name : String(failure);
};

/** The work was ended before it could be done. */
export class Stopped extends Error {}

interface RetryingOptions {
  /** Ends the waiting at once; what is under way is finished first. */
  readonly signal?: AbortSignal | undefined;
  /** False for a failure that another try would meet again; it is thrown. Asked once a failure. */
  readonly again: (failure: unknown) => boolean;
  /** About the first pause, in milliseconds. Default 50. */
  readonly firstMs?: number;
  /** Longest pause, in milliseconds. Default 5,000. */
  readonly longestMs?: number;
  readonly onRetry?: (failure: unknown, attempt: number, nextMs: number) => void;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/**
 * Tries for as long as it takes, with pauses that grow and are never the same for two processes. Cockatiel's own `retry` would
 * sit out its pause, and try once more, whatever its signal says.
 * @throws Stopped, or the failure for which `again` said no.
 */
export const retrying = async <T>(work: () => Promise<T>, options: RetryingOptions): Promise<T> => {
  const { signal, again, onRetry, firstMs = 50, longestMs = 5000, clock = systemClock } = options;
  let pause: IBackoff<unknown> | undefined;
  for (let attempt = 1; ; attempt += 1) {
    if (signal?.aborted) throw new Stopped();
    try {
      return await work();
    } catch (failure) {
      if (!again(failure)) throw failure;
      pause = (pause ?? new ExponentialBackoff({ initialDelay: firstMs, maxDelay: longestMs })).next(undefined);
      onRetry?.(failure, attempt, pause.duration);
      await clock.delay(pause.duration, signal);
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

/** Hands on answers, and what is wrong with a question; makes a server that cannot answer a StoreUnavailable. */
export interface Guarding {
  /** @throws StoreUnavailable when the server fails or is not asked; what else `ask` throws, as it is. */
  run<T>(ask: () => Promise<T>): Promise<T>;
}

/** Without a circuit breaker, for stores that nothing works without: asked as long as anybody has a question. */
export class PlainGuard implements Guarding {
  private readonly store: string;
  private readonly retrySeconds: number;
  private readonly classify: Classify;

  /** @param retrySeconds after which who was refused may ask again */
  constructor(store: string, retrySeconds: number, classify: Classify) {
    this.store = store;
    this.retrySeconds = retrySeconds;
    this.classify = classify;
  }

  async run<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof StoreUnavailable || this.classify(error) !== 'transient') throw error;
      throw new StoreUnavailable(this.store, this.retrySeconds, { cause: error });
    }
  }
}

export class Guard implements Guarding {
  private readonly breaker: CircuitBreakerPolicy;
  private readonly store: string;
  private readonly timeoutMs: number;
  private readonly classify: Classify;
  private openUntil = 0;

  /** Failures that are not transient say nothing about the server: they pass through, and are not counted. */
  constructor(store: string, { timeoutMs, failureRatio, openMs }: GuardOptions, classify: Classify) {
    this.store = store;
    this.timeoutMs = timeoutMs;
    this.classify = classify;
    this.breaker = circuitBreaker(
      handleWhen((failure) => classify(failure) === 'transient'),
      {
        halfOpenAfter: openMs,
        breaker: new SamplingBreaker({
          threshold: failureRatio,
          duration: SAMPLED_MS,
          minimumRps: SAMPLES / (SAMPLED_MS / 1000),
        }),
      },
    );
    this.breaker.onBreak(() => {
      this.openUntil = systemClock.monotonic() + openMs;
    });
  }

  async run<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await this.breaker.execute(ask);
    } catch (error) {
      if (error instanceof BrokenCircuitError) {
        const seconds = Math.max(1, Math.ceil((this.openUntil - systemClock.monotonic()) / 1000));
        throw new StoreUnavailable(this.store, seconds, { cause: error });
      }
      if (this.classify(error) !== 'transient') throw error;
      throw new StoreUnavailable(this.store, Math.ceil(this.timeoutMs / 1000), { cause: error });
    }
  }
}
