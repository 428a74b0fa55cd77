/**
 * Guards every request to a server: classifies failures, retries, and stops asking a server that is gone (circuit
 * breaker).
 */

import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  type IBackoff,
  SamplingBreaker,
} from 'cockatiel';
import type { Clock } from '../schemas/clock.ts';
import { StoreUnavailable } from '../schemas/errors.ts';

/**
 * The meaning of a store's failure, as each driver's `classify` decides.
 * transient: the server cannot answer now; the same request may work later.
 * permanent: the given values are at fault; the same request will never be accepted.
 * damaged: the store is at fault: its tables, rights or settings are wrong, and an operator must repair them.
 * bug: this program is at fault, and may meet any value: nothing may be skipped for it.
 */
export type FailureKind = 'transient' | 'permanent' | 'damaged' | 'bug';

export type Classify = (failure: unknown) => FailureKind;

/** Thrown by the language itself, or by a driver that was given what it cannot encode. No server says such things. */
export const isBug = (failure: unknown): boolean =>
  failure instanceof TypeError ||
  failure instanceof SyntaxError ||
  failure instanceof RangeError ||
  failure instanceof ReferenceError;

/** The failure in words for an operator: for StoreUnavailable its cause, for several failures each one. */
export const reasonOf = (failure: unknown): string => {
  if (failure instanceof StoreUnavailable && failure.cause !== undefined) return reasonOf(failure.cause);
  if (failure instanceof AggregateError) return failure.errors.map(reasonOf).join('; ');
  return failure instanceof Error ? failure.message || failure.name : String(failure);
};

/** The work was stopped before it succeeded. */
export class Stopped extends Error {}

interface RetryingOptions {
  /** Ends a pause at once; a try in progress finishes first. */
  readonly signal?: AbortSignal | undefined;
  /** Returns false for a failure that a retry would meet again; it is then thrown. Called once per failure. */
  readonly again: (failure: unknown) => boolean;
  /** Approximate first pause, in milliseconds. Default 50. */
  readonly firstMs?: number;
  /** Longest pause, in milliseconds. Default 5,000. */
  readonly longestMs?: number;
  readonly onRetry?: (failure: unknown, attempt: number, nextMs: number) => void;
  readonly clock: Clock;
}

/**
 * Retries for as long as it takes, with growing random pauses. Cockatiel's own `retry` finishes its pause, and tries
 * once more, even after its signal aborts.
 * @throws Stopped, or the failure for which `again` returned false.
 */
export const retrying = async <T>(work: () => Promise<T>, options: RetryingOptions): Promise<T> => {
  const { signal, again, onRetry, firstMs = 50, longestMs = 5000, clock } = options;
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
  /** How long one node may take to answer, in milliseconds; the driver then asks another, if there is one. */
  readonly timeoutMs: number;
  /** Between 0 and 1: share of failures in the last ten seconds above which requests stop. */
  readonly failureRatio: number;
  /** How long requests stop, in milliseconds; then one request is tried. */
  readonly openMs: number;
}

const SAMPLED_MS = 10_000;
/** Fewer requests than this in the sampled time do not open the breaker. */
const SAMPLES = 5;

/** Passes on answers and errors of a request; turns a server that cannot answer into StoreUnavailable. */
export interface Guarding {
  /** @throws StoreUnavailable when the server fails or is not asked; any other error of `ask` unchanged. */
  run<T>(ask: () => Promise<T>): Promise<T>;
}

/** Without a circuit breaker, for stores that everything depends on: every request is tried. */
export class PlainGuard implements Guarding {
  private readonly store: string;
  private readonly retrySeconds: number;
  private readonly classify: Classify;

  /** @param retrySeconds after which a refused client may ask again */
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
  private readonly clock: Clock;
  private openUntil = 0;

  /** Failures that are not transient say nothing about the server, so they pass through uncounted. */
  constructor(store: string, { timeoutMs, failureRatio, openMs }: GuardOptions, classify: Classify, clock: Clock) {
    this.store = store;
    this.timeoutMs = timeoutMs;
    this.classify = classify;
    this.clock = clock;
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
      this.openUntil = clock.monotonic() + openMs;
    });
  }

  async run<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await this.breaker.execute(ask);
    } catch (error) {
      if (error instanceof BrokenCircuitError) {
        const seconds = Math.max(1, Math.ceil((this.openUntil - this.clock.monotonic()) / 1000));
        throw new StoreUnavailable(this.store, seconds, { cause: error });
      }
      if (this.classify(error) !== 'transient') throw error;
      throw new StoreUnavailable(this.store, Math.ceil(this.timeoutMs / 1000), { cause: error });
    }
  }
}
