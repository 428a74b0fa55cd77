/** How the nodes of a cluster learn how far each view has got: a store does not notify its readers. */
import type { Clock } from '../../../schemas/clock.ts';
import { BUDGETS } from '../../../stores/budgets.ts';
import { EmptyAhead, type EmptyRange } from '../empty-ranges.ts';
import type { Progress, ViewName } from '../port.ts';

interface Waiter {
  readonly position: number;
  readonly done: (reached: boolean) => void;
}

/** Callers that wait until the views hold a position. */
export class PositionWaiters {
  private readonly clock: Clock;
  private readonly waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** True if `reached(position)` was called in time. */
  until(position: number, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        position,
        done: (reached) => {
          // With a reason, no error is made.
          done.abort(reached);
          this.waiters.delete(waiter);
          resolve(reached);
        },
      };
      const done = new AbortController();
      void this.clock.delay(timeoutMs, done.signal).then(() => waiter.done(false));
      this.waiters.add(waiter);
    });
  }

  reached(position: number): void {
    for (const waiter of this.waiters) if (waiter.position <= position) waiter.done(true);
  }

  giveUp(): void {
    for (const waiter of this.waiters) waiter.done(false);
  }
}

// One view's progress as one node knows it.

const { lookMs } = BUDGETS.progress;

export interface TrackerOptions {
  readonly partitions: number;
  /** Checkpoints in the store, by partition. */
  readonly stored: () => Promise<readonly number[]>;
  /** True if nothing between the two concerns this view, which then holds `position` without having reached it. */
  readonly nothingBetween?: (checkpoint: number, position: number) => Promise<boolean>;
  readonly clock: Clock;
}

export class ProgressTracker implements Progress {
  private readonly options: TrackerOptions;
  private readonly through: number[];
  private readonly ahead: readonly EmptyAhead[];
  private readonly waiting: PositionWaiters;
  private waiters = 0;
  private least = 0;
  private looking = false;

  constructor(options: TrackerOptions) {
    this.options = options;
    this.waiting = new PositionWaiters(options.clock);
    this.through = Array.from({ length: options.partitions }, () => 0);
    this.ahead = this.through.map(() => new EmptyAhead());
  }

  /**
   * Never moves back: a store that lost its rows is filled again from the log, and reports itself as incomplete until
   * then.
   */
  moved(partition: number, through: number): void {
    if (!(through > (this.through[partition] ?? Number.POSITIVE_INFINITY))) return;
    this.through[partition] = this.ahead[partition]!.reachedFrom(through);
    this.release();
  }

  /** Partitions that have got as far as this range hold it too: there is nothing in it for them. */
  passed({ from, through, partitions }: EmptyRange): void {
    for (const partition of partitions) {
      const reached = this.through[partition];
      if (reached === undefined || reached >= through) continue;
      if (from <= reached) this.moved(partition, through);
      else this.ahead[partition]!.add(from, through);
    }
  }

  private release(): void {
    const least = Math.min(...this.through);
    if (least === this.least) return;
    this.least = least;
    this.waiting.reached(least);
  }

  checkpoint(): number {
    return this.least;
  }

  async whenProcessed(position: number, timeoutMs: number): Promise<boolean> {
    if (this.least >= position) return true;
    const { clock } = this.options;
    const deadline = clock.monotonic() + timeoutMs;
    this.waiters += 1;
    this.lookOut();
    try {
      while (clock.monotonic() < deadline) {
        const left = deadline - clock.monotonic();
        if (await this.waiting.until(position, Math.min(left, 2 * lookMs))) return true;
        if (await this.options.nothingBetween?.(this.least, position).catch(() => false)) return true;
      }
      return false;
    } finally {
      this.waiters -= 1;
    }
  }

  /** Reads the checkpoints in the store. */
  async look(): Promise<void> {
    const stored = await this.options.stored();
    for (const [partition, through] of stored.entries()) this.moved(partition, through);
  }

  private lookOut(): void {
    if (this.looking) return;
    this.looking = true;
    this.options.clock.setTimer(lookMs, () => {
      this.looking = false;
      if (this.waiters === 0) return;
      // An unavailable store has not advanced either.
      this.look()
        .catch(() => {})
        .finally(() => this.lookOut());
    });
  }
}

export interface ProgressUpdate {
  readonly view: ViewName;
  /** The generation that has advanced. Others may be behind. */
  readonly generation: number;
  /** Positions by partition. */
  readonly through: Readonly<Record<number, number>>;
  /** What is said of other partitions than these. */
  readonly empty?: readonly EmptyRange[];
}

/** Fast and lossy: a node that misses an update reads the store's checkpoints. */
export interface ProgressChannel {
  publish(update: ProgressUpdate): void;
  /** Register before `start`. */
  onUpdate(listener: (update: ProgressUpdate) => void): void;
  /** For whoever listens. Publishing needs no start. */
  start(): Promise<void>;
  stop(): Promise<void>;
}
