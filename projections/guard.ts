/** Around everything asked of a server: a circuit breaker, which stops asking one that is gone. */
import { BrokenCircuitError, type CircuitBreakerPolicy, circuitBreaker, handleWhen, SamplingBreaker } from 'cockatiel';
import { StoreUnavailable } from './unavailable.ts';

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
