/** What happens by itself at its time, which one process at a time looks for. */

import type { Clock } from '../schemas/clock.ts';
import { StoreUnavailable } from '../schemas/errors.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface DueWorkOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often it is looked for, in milliseconds. */
  readonly everyMs: number;
  /** What is logged when a look fails. */
  readonly failure: string;
  /**
   * Carries out all that is due. Whether it is must be decided in its stream, so that a look repeats another without harm.
   * @param signal aborts when this process is to stop
   */
  readonly look: (signal: AbortSignal) => Promise<void>;
}

export class DueWork {
  private readonly options: DueWorkOptions;
  private stopping = new AbortController();
  private end: (() => void) | undefined;
  private looking: Promise<void> | undefined;

  constructor(options: DueWorkOptions) {
    this.options = options;
  }

  start(): void {
    if (this.end !== undefined) return;
    this.stopping = new AbortController();
    this.end = this.options.clock.every(this.options.everyMs, () => {
      this.looking ??= this.look().finally(() => {
        this.looking = undefined;
      });
    });
  }

  async stop(): Promise<void> {
    this.end?.();
    this.end = undefined;
    this.stopping.abort();
    await this.looking;
  }

  private async look(): Promise<void> {
    const { look, logger, failure } = this.options;
    try {
      await look(this.stopping.signal);
    } catch (error) {
      // It stays due until the stores are back, whose outages are reported elsewhere.
      if (!(error instanceof StoreUnavailable)) logger.error({ err: error }, failure);
    }
  }
}
