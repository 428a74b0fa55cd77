/**
 * Guards every request to a server: classifies failures, retries, and stops asking a server that is gone (circuit
 * breaker).
 */

import { ExponentialBackoff, type IBackoff } from 'cockatiel';
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
  failure instanceof TypeError || failure instanceof RangeError || failure instanceof ReferenceError;

/** A value is no number, or no JSON, where it must be one: every try would meet it again. */
const isWrongValue = (failure: unknown): boolean => failure instanceof SyntaxError;

/** A driver's `classify`: failures that no store reports mean the same everywhere, `ofStore` decides about all others. */
export const classifying =
  (ofStore: Classify): Classify =>
  (failure) => {
    if (isBug(failure)) return 'bug';
    return isWrongValue(failure) ? 'permanent' : ofStore(failure);
  };

/** The failure in words for an operator: for StoreUnavailable its cause, for several failures each one. */
export const reasonOf = (failure: unknown): string => {
  if (failure instanceof StoreUnavailable && failure.cause !== undefined) return reasonOf(failure.cause);
  if (failure instanceof AggregateError) return failure.errors.map(reasonOf).join('; ');
  return failure instanceof Error ? failure.message || failure.name : String(failure);
};

const REASON_LENGTH = 200;

/** For a line of the log: drivers append stacks and whole requests. */
export const shortReason = (failure: unknown): string => {
  const [line = ''] = reasonOf(failure).split('\n');
  return line.length > REASON_LENGTH ? `${line.slice(0, REASON_LENGTH)}…` : line;
};

interface RetryLogger {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * For `onRetry`. A server that does not answer is reported by whoever watches it, so it is no news here. Any other
 * failure is told at the attempts 1, 2, 4, 8 and so on.
 */
export const retryLine =
  (logger: RetryLogger, fields: object, message: string) =>
  (failure: unknown, attempt: number, nextMs: number): void => {
    const isNews = !(failure instanceof StoreUnavailable) && (attempt & (attempt - 1)) === 0;
    const about = { ...fields, reason: shortReason(failure), attempt, nextMs: Math.round(nextMs) };
    if (isNews) logger.warn(about, message);
    else logger.debug(about, message);
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
/** The sampled time is counted in this many parts, of which the oldest is dropped. */
const PARTS = 10;
/** Fewer requests than this in the sampled time do not open the breaker. */
const SAMPLES = 5;

/** The server is not asked, because too many requests failed. */
export class NotAsked extends Error {
  constructor(store: string) {
    super(`${store} is not asked for a while, because too many requests failed`);
  }
}

interface Part {
  readonly number: number;
  answered: number;
  failed: number;
}

/** A circuit breaker. Cockatiel's goes by the wall clock: set back by two days, it would stay open for two days. */
class Breaker {
  private readonly clock: Clock;
  private readonly failureRatio: number;
  private readonly openMs: number;
  private parts: Part[] = [];
  /** When the pause ends, in monotonic milliseconds; `undefined` while requests are sent. */
  private until: number | undefined;
  /** The one request after the pause is under way. */
  private trying = false;

  constructor({ failureRatio, openMs }: Pick<GuardOptions, 'failureRatio' | 'openMs'>, clock: Clock) {
    this.failureRatio = failureRatio;
    this.openMs = openMs;
    this.clock = clock;
  }

  /** Milliseconds until a request is tried. */
  get leftMs(): number {
    return Math.max(0, (this.until ?? 0) - this.clock.monotonic());
  }

  /** @returns how to tell its outcome, or `undefined` when the request may not be sent */
  admit(): ((failed: boolean) => void) | undefined {
    if (this.until === undefined) return (failed) => this.count(failed);
    if (this.trying || this.leftMs > 0) return undefined;
    this.trying = true;
    return (failed) => {
      this.trying = false;
      this.parts = [];
      this.until = failed ? this.clock.monotonic() + this.openMs : undefined;
    };
  }

  private count(failed: boolean): void {
    // Sent before the breaker opened.
    if (this.until !== undefined) return;
    const number = Math.floor(this.clock.monotonic() / (SAMPLED_MS / PARTS));
    this.parts = this.parts.filter((part) => part.number > number - PARTS);
    let part = this.parts.at(-1);
    if (part?.number !== number) {
      part = { number, answered: 0, failed: 0 };
      this.parts.push(part);
    }
    if (!failed) {
      part.answered += 1;
      return;
    }
    part.failed += 1;
    const failures = this.parts.reduce((sum, one) => sum + one.failed, 0);
    const all = this.parts.reduce((sum, one) => sum + one.answered, failures);
    if (all < SAMPLES || failures <= this.failureRatio * all) return;
    this.until = this.clock.monotonic() + this.openMs;
  }
}

/** Told how a server answers, for whoever reports outages. */
export interface Watch {
  answered(): void;
  /** @param refused the server was not asked, because too many requests failed */
  failed(failure: unknown, kind: 'transient' | 'damaged', refused: boolean): void;
}

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
  private readonly watch: Watch | undefined;

  /** @param retrySeconds after which a refused client may ask again */
  constructor(store: string, retrySeconds: number, classify: Classify, watch?: Watch) {
    this.store = store;
    this.retrySeconds = retrySeconds;
    this.classify = classify;
    this.watch = watch;
  }

  async run<T>(ask: () => Promise<T>): Promise<T> {
    try {
      const answer = await ask();
      this.watch?.answered();
      return answer;
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      const kind = this.classify(error);
      if (kind === 'transient' || kind === 'damaged') this.watch?.failed(error, kind, false);
      if (kind !== 'transient') throw error;
      throw new StoreUnavailable(this.store, this.retrySeconds, { cause: error });
    }
  }
}

export class Guard implements Guarding {
  private readonly breaker: Breaker;
  private readonly store: string;
  private readonly timeoutMs: number;
  private readonly classify: Classify;
  private readonly watch: Watch | undefined;

  /** Failures that are not transient say nothing about the server, so they pass through uncounted. */
  constructor(store: string, options: GuardOptions, classify: Classify, clock: Clock, watch?: Watch) {
    this.store = store;
    this.timeoutMs = options.timeoutMs;
    this.classify = classify;
    this.watch = watch;
    this.breaker = new Breaker(options, clock);
  }

  async run<T>(ask: () => Promise<T>): Promise<T> {
    const done = this.breaker.admit();
    if (done === undefined) {
      const failure = new NotAsked(this.store);
      this.watch?.failed(failure, 'transient', true);
      throw new StoreUnavailable(this.store, Math.max(1, Math.ceil(this.breaker.leftMs / 1000)), { cause: failure });
    }
    try {
      const answer = await ask();
      done(false);
      this.watch?.answered();
      return answer;
    } catch (error) {
      const kind = this.classify(error);
      done(kind === 'transient');
      if (kind === 'transient' || kind === 'damaged') this.watch?.failed(error, kind, false);
      if (kind !== 'transient') throw error;
      throw new StoreUnavailable(this.store, Math.ceil(this.timeoutMs / 1000), { cause: error });
    }
  }
}
