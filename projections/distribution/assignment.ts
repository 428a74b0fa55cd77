/** The partitions that the group assigns to one of its consumers, from one rebalance to the next. */

import type { LogReader } from '../../log/port.ts';
import type { Clock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { retrying, retryLine, Stopped, shortReason } from '../../stores/guard.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Spans } from '../../telemetry/spans.ts';
import { PartitionApplier } from '../engine/applying.ts';
import type { DeadLetters, NewLetter, PoisonedStreams } from '../engine/dead-letters/port.ts';
import { partitionOf } from '../engine/partitions.ts';
import type { PartitionStore } from '../engine/port.ts';
import { LogPages } from './log-pages.ts';
import { PartitionWorker, type StoredBatch } from './worker.ts';

export interface FollowOptions {
  readonly partitions: number;
  /** Consumers with the same group name share the partitions: `timelines-g1`, `delivery`. */
  readonly group: string;
  readonly log: LogReader;
  readonly sink: PartitionStore;
  /**
   * Takes events that the store always refuses; their streams are then skipped. Without it those events are retried for
   * ever.
   */
  readonly deadLetters?: DeadLetters;
  readonly onDeadLetter?: (letter: NewLetter) => void;
  /** Called each time that a batch is tried again because of a bug. */
  readonly onBug?: (() => void) | undefined;
  readonly logger: Logger;
  /** Called after each stored batch of a partition. */
  readonly onThrough?: (partition: number, stored: StoredBatch) => void;
  /** Absent when nothing is traced. */
  readonly spans?: Spans | undefined;
  /** Called once when following must end. Failures that may pass are retried instead. */
  readonly onFailure: (failure: unknown) => void;
  readonly clock: Clock;
}

export interface Following {
  readonly group: string;
  /** The position through which the store holds each partition followed here. */
  positions(): ReadonlyMap<number, number>;
  /** Milliseconds since the group last confirmed this process as one of its members; some 300 while all is well. */
  unconfirmedMs(): number;
  /** Finishes batches under way and leaves the group, so that others take over at once. Takes up to a second. */
  stop(): Promise<void>;
}

/** How often to look for dead letters to retry. Each look is one small query. */
const LOOK_MS = 1000;

export class Assignment {
  private readonly options: FollowOptions;
  private readonly applying: PartitionApplier;
  private readonly poisoned: PoisonedStreams | undefined;
  private endLooks: () => void = () => {};
  private readonly onFailure: (failure: unknown) => void;
  private workers = new Map<number, PartitionWorker>();
  private current = new AbortController();
  /** Assigning and releasing partitions runs one step at a time. */
  private turn: Promise<void> = Promise.resolve();

  constructor(options: FollowOptions, poisoned: PoisonedStreams | undefined, onFailure: (failure: unknown) => void) {
    const { sink, log, logger, onBug, spans, clock } = options;
    this.options = options;
    this.poisoned = poisoned;
    this.applying = new PartitionApplier({ sink, log, logger, poisoned, onBug, spans, clock });
    this.onFailure = onFailure;
  }

  /** Follows these partitions from now on, each from the store's checkpoint. */
  take(partitions: readonly number[]): void {
    this.release();
    const { signal } = this.current;
    this.turn = this.turn
      .then(() => this.begin(partitions, signal))
      .catch((failure: unknown) => {
        if (!signal.aborted) this.onFailure(failure);
      });
  }

  /** Resolves once nothing is written any more. Until then nobody else may have the partitions. */
  release(): Promise<void> {
    this.current.abort();
    this.current = new AbortController();
    this.turn = this.turn.then(() => this.end());
    return this.turn;
  }

  /** The worker of a partition, or undefined if the partition is not followed here. */
  async worker(partition: number): Promise<PartitionWorker | undefined> {
    await this.turn;
    return this.workers.get(partition);
  }

  get followed(): ReadonlyMap<number, PartitionWorker> {
    return this.workers;
  }

  private async end(): Promise<void> {
    this.endLooks();
    const former = [...this.workers.values()];
    if (former.length === 0) return;
    await Promise.all(former.map((worker) => worker.stop()));
    this.workers = new Map();
    // A checkpoint kept in memory only is no loss: the next owner reads those events again.
    await this.options.sink.flush().catch(() => {});
  }

  private async begin(partitions: readonly number[], signal: AbortSignal): Promise<void> {
    const { sink, log } = this.options;
    const checkpoints = await this.patiently(() => sink.checkpoints(), signal);
    await this.patiently(async () => this.poisoned?.load(), signal);
    if (signal.aborted) return;
    const pages = new LogPages(log);
    for (const partition of partitions)
      this.workers.set(
        partition,
        new PartitionWorker({
          partition,
          partitions: this.options.partitions,
          epoch: log.epoch,
          position: checkpoints[partition] ?? 0,
          pages,
          apply: (batch, stopping) => this.applying.apply(batch, stopping),
          leaveOut: (failure, stopping) => this.applying.leaveOut(failure, stopping),
          read: (work, stopping) => this.patiently(work, stopping),
          onThrough: (stored) => this.options.onThrough?.(partition, stored),
          onFailure: this.onFailure,
        }),
      );
    if (this.poisoned !== undefined) this.watchLetters(this.poisoned);
  }

  /** Retries one letter after another. What fails now is tried again at the next look. */
  private async retryLetters(poisoned: PoisonedStreams): Promise<void> {
    const { partitions, logger, sink } = this.options;
    const requested = await poisoned.requested().catch((failure: unknown) => {
      // An outage of their store is reported elsewhere, and says nothing about any letter.
      if (!(failure instanceof StoreUnavailable))
        logger.warn({ projection: sink.name, reason: shortReason(failure) }, 'dead letters cannot be looked through');
      return [];
    });
    for (const letter of requested) {
      const worker = this.workers.get(partitionOf(letter.stream, partitions));
      const { stream } = letter;
      const later = (failure: unknown) => {
        if (failure instanceof Stopped) return;
        const reason = shortReason(failure);
        logger.warn({ projection: sink.name, stream, reason }, 'a dead letter cannot be retried now');
      };
      await worker?.visit((position, signal) => this.applying.retry(letter, position, signal)).catch(later);
    }
  }

  private watchLetters(poisoned: PoisonedStreams): void {
    let looking = false;
    this.endLooks = this.options.clock.every(LOOK_MS, () => {
      if (looking) return;
      looking = true;
      void this.retryLetters(poisoned).finally(() => {
        looking = false;
      });
    });
  }

  private patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { logger, sink, clock } = this.options;
    return retrying(work, {
      clock,
      signal,
      again: () => true,
      onRetry: retryLine(logger, { projection: sink.name }, 'a partition cannot be followed now'),
    });
  }
}
