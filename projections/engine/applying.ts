/** Stores batches of partitions: retries them, splits them into single events, and skips what cannot be applied. */

import type { LogReader } from '../../log/port.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { retrying, Stopped } from '../../stores/guard.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Spans } from '../../telemetry/spans.ts';
import type { PoisonedStreams, RecordedLetter } from './dead-letters/port.ts';
import { CheckpointMoved, type PartitionBatch, type PartitionStore, type ViewStore } from './port.ts';

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 2000;

/** The store cannot continue: it is damaged, or the process is stopping. */
export class ViewsStopped extends Error {}

/** Stores a batch whatever happens: retries it, splits it into single events, and skips what cannot be applied. */
export class BatchApplier {
  private readonly store: ViewStore;
  private readonly processesThrough: () => number;
  private readonly stopping: AbortSignal;
  private readonly clock: Clock;
  private readonly spans: Spans | undefined;

  constructor(store: ViewStore, processesThrough: () => number, stopping: AbortSignal, clock: Clock, spans?: Spans) {
    this.store = store;
    this.processesThrough = processesThrough;
    this.stopping = stopping;
    this.clock = clock;
    this.spans = spans;
  }

  apply(events: readonly ParleyEvent[]): Promise<void> {
    const { spans } = this;
    if (spans === undefined) return this.commit(events);
    return spans.behind('project', events, { 'parley.view': 'all' }, () => this.commit(events));
  }

  private async commit(events: readonly ParleyEvent[]): Promise<void> {
    try {
      await this.store.commit(events, this.processesThrough());
    } catch (failure) {
      this.refuseDamage(failure);
      for (const event of events) await this.applyOne(event);
    }
  }

  private async applyOne(event: ParleyEvent): Promise<void> {
    // A full disk says nothing about the event, so it is retried until there is room.
    let refusals = 0;
    const again = (failure: unknown): boolean => {
      this.refuseDamage(failure);
      if (this.store.classify(failure) === 'permanent') refusals += 1;
      return true;
    };
    const attempt = async (): Promise<void> => {
      if (refusals < ATTEMPTS) await this.store.commit([event], this.processesThrough());
      else await this.store.commitWithout(event, this.processesThrough(), ATTEMPTS);
    };
    try {
      const { clock, stopping: signal } = this;
      await retrying(attempt, { clock, signal, again, firstMs: FIRST_PAUSE_MS, longestMs: LONGEST_PAUSE_MS });
    } catch (failure) {
      if (!(failure instanceof Stopped)) throw failure;
      throw new ViewsStopped('The views were stopped before the batch could be applied');
    }
  }

  private refuseDamage(failure: unknown): void {
    if (this.store.classify(failure) !== 'damaged') return;
    this.store.condemn();
    throw new ViewsStopped('The views file is damaged; it is rebuilt at the next start', { cause: failure });
  }
}

/** With the pauses in between, about a quarter of a second: a failure that the event itself causes does not pass. */
const PARTITION_ATTEMPTS = 4;
const PAGE = 500;

/** The store gave up on an event, and the fault is not the store's. */
interface Refused {
  readonly failure: unknown;
  readonly attempts: number;
}

interface ApplyingParts {
  readonly sink: PartitionStore;
  readonly log: LogReader;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined: events that the store refuses are retried for ever. */
  readonly poisoned: PoisonedStreams | undefined;
  /** Absent when nothing is traced. */
  readonly spans?: Spans | undefined;
}

export class PartitionApplier {
  private readonly parts: ApplyingParts;

  constructor(parts: ApplyingParts) {
    this.parts = parts;
  }

  /** @throws CheckpointMoved, Stopped */
  apply(batch: PartitionBatch, signal: AbortSignal): Promise<void> {
    const { spans, sink } = this.parts;
    if (spans === undefined) return this.commit(batch, signal);
    return spans.behind('project', batch.events, { 'parley.view': sink.name }, () => this.commit(batch, signal));
  }

  private async commit(batch: PartitionBatch, signal: AbortSignal): Promise<void> {
    const { sink, poisoned } = this.parts;
    const events = poisoned?.followed(batch.events) ?? batch.events;
    const refused = await this.attempt(() => sink.commit({ ...batch, events }), signal);
    if (refused !== undefined && poisoned !== undefined) await this.oneByOne(batch, events, poisoned, signal);
  }

  private async oneByOne(
    batch: PartitionBatch,
    events: readonly ParleyEvent[],
    poisoned: PoisonedStreams,
    signal: AbortSignal,
  ): Promise<void> {
    const { sink } = this.parts;
    const { partition, through } = batch;
    let { from } = batch;
    for (const event of events) {
      if (poisoned.isLeftOut(event)) continue;
      const one = { partition, from, events: [event], through: event.position };
      const refused = await this.attempt(() => sink.commit(one), signal);
      if (refused === undefined) from = event.position;
      else await this.bury(event, refused, poisoned, signal);
    }
    if (from < through) await this.attempt(() => sink.commit({ partition, from, events: [], through }), signal);
  }

  private async bury(event: ParleyEvent, refused: Refused, poisoned: PoisonedStreams, signal: AbortSignal) {
    const { logger, sink, clock } = this.parts;
    const { stream, sequence, position } = event;
    const { failure: err, attempts } = refused;
    logger.error(
      { err, projection: sink.name, stream, sequence, position },
      'an event cannot be applied; its stream is left out from here on',
    );
    await retrying(() => poisoned.bury(event, err, attempts), {
      clock,
      signal,
      again: () => true,
      onRetry: (why, attempt, nextMs) =>
        logger.warn({ err: why, stream, attempt, nextMs }, 'a dead letter cannot be recorded now'),
    });
  }

  /**
   * Applies the skipped events of a stream up to `through`, and follows the stream again. If an event fails once more,
   * the letter moves to that event.
   * @throws any failure that means the store, the log or the letters cannot be reached now
   */
  async retry(letter: RecordedLetter, through: number, signal: AbortSignal): Promise<void> {
    const { sink, log, poisoned, logger } = this.parts;
    const { stream } = letter;
    for (let from = letter.sequence; ; ) {
      const page = await log.readStream({ stream, from, limit: PAGE });
      const events = page.filter(({ position }) => position <= through);
      const failed = await this.repair(events, signal);
      if (failed !== undefined) {
        await poisoned?.failAgain(failed.event, failed.failure, failed.attempts);
        logger.warn({ err: failed.failure, projection: sink.name, stream }, 'a dead letter failed again');
        return;
      }
      if (events.length < PAGE) break;
      from = events.at(-1)!.sequence + 1;
    }
    await poisoned?.resolve(stream);
  }

  private async repair(events: readonly ParleyEvent[], signal: AbortSignal) {
    const { sink } = this.parts;
    if (events.length === 0 || (await this.attempt(() => sink.repair(events), signal, 1)) === undefined)
      return undefined;
    for (const event of events) {
      const refused = await this.attempt(() => sink.repair([event]), signal, 1);
      if (refused !== undefined) return { event, ...refused };
    }
    return undefined;
  }

  /** @returns undefined on success @throws CheckpointMoved, Stopped; where `transient` is bounded, the last failure */
  private async attempt(
    work: () => Promise<void>,
    signal: AbortSignal,
    transient = Number.POSITIVE_INFINITY,
  ): Promise<Refused | undefined> {
    const { sink, poisoned, logger, clock } = this.parts;
    let attempts = 0;
    let others = 0;
    try {
      await retrying(work, {
        clock,
        signal,
        again: (failure) => {
          if (failure instanceof CheckpointMoved) return false;
          if (poisoned !== undefined && sink.classify(failure) === 'permanent') attempts += 1;
          else others += 1;
          return attempts < PARTITION_ATTEMPTS && others < transient;
        },
        onRetry: (err, attempt, nextMs) =>
          logger.warn({ err, projection: sink.name, attempt, nextMs }, 'the store cannot take a batch now'),
      });
      return undefined;
    } catch (failure) {
      if (attempts < PARTITION_ATTEMPTS) throw failure;
      return { failure, attempts };
    }
  }
}
