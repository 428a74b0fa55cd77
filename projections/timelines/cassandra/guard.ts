/** Around everything asked of a server: a deadline, and a circuit breaker that stops asking one that is gone. */
import { setMaxListeners } from 'node:events';
import {
  BrokenCircuitError,
  circuitBreaker,
  handleWhen,
  SamplingBreaker,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { StoreUnavailable } from '../../unavailable.ts';

export interface GuardOptions {
  /** How long one question may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Between 0 and 1: share of failures in the last ten seconds beyond which nothing is asked any more. */
  readonly failureRatio: number;
  /** For how long, in milliseconds; then one question is tried. */
  readonly openMs: number;
}

const SAMPLED_MS = 10_000;
/** Fewer questions than this in the sampled time open nothing. */
const SAMPLES = 5;

/** Given to every question, since each listens to it while it is on its way: the library's own warns beyond ten. */
const never = new AbortController().signal;
setMaxListeners(0, never);

export class Guard {
  private readonly policy: ReturnType<typeof wrap>;
  private readonly store: string;
  private readonly timeoutMs: number;
  private readonly isOutage: (failure: unknown) => boolean;
  private openUntil = 0;

  /** @param isOutage tells failures of the server from those of the question, which pass through as they are. */
  constructor(store: string, { timeoutMs, failureRatio, openMs }: GuardOptions, isOutage: (f: unknown) => boolean) {
    this.store = store;
    this.timeoutMs = timeoutMs;
    this.isOutage = isOutage;
    const breaker = circuitBreaker(handleWhen(isOutage), {
      halfOpenAfter: openMs,
      breaker: new SamplingBreaker({
        threshold: failureRatio,
        duration: SAMPLED_MS,
        minimumRps: SAMPLES / (SAMPLED_MS / 1000),
      }),
    });
    breaker.onBreak(() => {
      this.openUntil = Date.now() + openMs;
    });
    this.policy = wrap(breaker, timeout(timeoutMs, TimeoutStrategy.Aggressive));
  }

  /** @throws StoreUnavailable when the server fails or is not asked; what else `ask` throws, as it is. */
  async run<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return (await this.policy.execute(ask, never)) as T;
    } catch (error) {
      if (error instanceof BrokenCircuitError) {
        const wait = Math.max(1, Math.ceil((this.openUntil - Date.now()) / 1000));
        throw new StoreUnavailable(this.store, wait, { cause: error });
      }
      if (error instanceof TaskCancelledError || this.isOutage(error))
        throw new StoreUnavailable(this.store, Math.ceil(this.timeoutMs / 1000), { cause: error });
      throw error;
    }
  }
}
