/** Stores batches of partitions: retries them, splits them into single events, and skips what cannot be applied. */

import { isFull, type LogReader } from '../../log/port.ts';
import type { Clock } from '../../schemas/clock.ts';
import { type ParleyEvent, UnreadableEvent } from '../../schemas/events/catalogue.ts';
import { retrying, retryLine, Stopped } from '../../stores/guard.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Spans } from '../../telemetry/spans.ts';
import type { PoisonedStreams, RecordedLetter } from './dead-letters/port.ts';
import { CheckpointMoved, type PartitionBatch, type PartitionStore, type Place, type ViewStore } from './port.ts';

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 2000;

/** The store cannot continue: it is damaged, or the process is stopping. */
export class ViewsStopped extends Error {}

interface BatchParts {
  readonly store: ViewStore;
  readonly processesThrough: () => number;
  readonly stopping: AbortSignal;
  readonly clock: Clock;
  /** Absent in tools. */
  readonly logger?: Logger | undefined;
  readonly onBug?: (() => void) | undefined;
  /** Absent when nothing is traced. */
  readonly spans?: Spans | undefined;
}

const A_BUG = 'a bug keeps a view from going on: it is tried again until it is mended';

/** Stores a batch whatever happens: retries it, splits it into single events, and skips what cannot be applied. */
export class BatchApplier {
  private readonly parts: BatchParts;

  constructor(parts: BatchParts) {
    this.parts = parts;
  }

  apply(events: readonly ParleyEvent[]): Promise<void> {
    const { spans } = this.parts;
    if (spans === undefined) return this.commit(events);
    return spans.behind('project', events, { 'parley.view': 'all' }, () => this.commit(events));
  }

  private async commit(events: readonly ParleyEvent[]): Promise<void> {
    const { store, processesThrough } = this.parts;
    try {
      await store.commit(events, processesThrough());
    } catch (failure) {
      this.refuseDamage(failure);
      for (const event of events) await this.applyOne(event);
    }
  }

  /** Stores a dead letter in place of an event that cannot be read. */
  leaveOut(failure: UnreadableEvent): Promise<void> {
    const { store, processesThrough } = this.parts;
    return this.patiently(
      async () => void (await store.leaveOut(failure.event, processesThrough(), failure)),
      () => {},
    );
  }

  private async applyOne(event: ParleyEvent): Promise<void> {
    const { store, processesThrough } = this.parts;
    let refusals = 0;
    const attempt = async (): Promise<void> => {
      if (refusals < ATTEMPTS) await store.commit([event], processesThrough());
      else await store.commitWithout(event, processesThrough(), ATTEMPTS);
    };
    await this.patiently(attempt, () => {
      refusals += 1;
    });
  }

  /** A full disk says nothing about the event, and a bug may meet any event: both are retried until they are gone. */
  private async patiently(attempt: () => Promise<void>, onRefusal: () => void): Promise<void> {
    const { store, logger, onBug, clock, stopping: signal } = this.parts;
    const again = (failure: unknown): boolean => {
      this.refuseDamage(failure);
      if (store.classify(failure) === 'permanent') onRefusal();
      return true;
    };
    const onRetry = (err: unknown, tries: number, nextMs: number) => {
      if (store.classify(err) !== 'bug') return;
      onBug?.();
      logger?.error({ err, attempt: tries, nextMs }, A_BUG);
    };
    try {
      const pauses = { firstMs: FIRST_PAUSE_MS, longestMs: LONGEST_PAUSE_MS };
      await retrying(attempt, { clock, signal, again, onRetry, ...pauses });
    } catch (failure) {
      if (!(failure instanceof Stopped)) throw failure;
      throw new ViewsStopped('The views were stopped before the batch could be applied');
    }
  }

  private refuseDamage(failure: unknown): void {
    const { store } = this.parts;
    if (store.classify(failure) !== 'damaged') return;
    store.condemn();
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
  readonly onBug?: (() => void) | undefined;
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

  /**
   * Leaves out the stream of an event that cannot be read, from there on; a store that keeps nothing leaves out the event.
   * @throws Stopped; the failure itself where neither is possible
   */
  async leaveOut(failure: UnreadableEvent, signal: AbortSignal): Promise<void> {
    const { poisoned, sink } = this.parts;
    if (sink.passOver !== undefined) return sink.passOver(failure);
    if (poisoned === undefined) throw failure;
    if (!poisoned.isLeftOut(failure.event)) await this.bury(failure.event, { failure, attempts: 1 }, poisoned, signal);
  }

  private async bury(event: Place, refused: Refused, poisoned: PoisonedStreams, signal: AbortSignal) {
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
      onRetry: retryLine(logger, { projection: sink.name, stream }, 'a dead letter cannot be recorded now'),
    });
  }

  /**
   * Applies the skipped events of a stream up to `through`, and follows the stream again. If an event fails once more,
   * the letter moves to that event.
   * @throws any failure that means the store, the log or the letters cannot be reached now
   */
  async retry(letter: RecordedLetter, through: number, signal: AbortSignal): Promise<void> {
    const { sink, poisoned, logger } = this.parts;
    const { stream } = letter;
    for (let from = letter.sequence; ; ) {
      const { page, unreadable } = await this.pageOf(stream, from);
      const events = page.filter(({ position }) => position <= through);
      const failed =
        (await this.repair(events, signal)) ??
        (unreadable && { event: unreadable.event, failure: unreadable, attempts: 1 });
      if (failed !== undefined) {
        await poisoned?.failAgain(failed.event, failed.failure, failed.attempts);
        logger.warn({ err: failed.failure, projection: sink.name, stream }, 'a dead letter failed again');
        return;
      }
      if (events.length < page.length || !isFull(page, PAGE)) break;
      from = events.at(-1)!.sequence + 1;
    }
    await poisoned?.resolve(stream);
  }

  /** A page of a stream, or what of it is before an event that cannot be read. */
  private async pageOf(
    stream: string,
    from: number,
  ): Promise<{ readonly page: readonly ParleyEvent[]; readonly unreadable?: UnreadableEvent }> {
    const { log } = this.parts;
    try {
      return { page: await log.readStream({ stream, from, limit: PAGE }) };
    } catch (failure) {
      if (!(failure instanceof UnreadableEvent)) throw failure;
      const limit = failure.event.sequence - from;
      const page = limit > 0 ? await log.readStream({ stream, from, limit }) : [];
      return page.length === limit ? { page, unreadable: failure } : { page };
    }
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
    const { sink, poisoned, logger, onBug, clock } = this.parts;
    let attempts = 0;
    let others = 0;
    const report = retryLine(logger, { projection: sink.name }, 'the store cannot take a batch now');
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
        onRetry: (failure, attempt, nextMs) => {
          if (sink.classify(failure) !== 'bug') return report(failure, attempt, nextMs);
          onBug?.();
          logger.error({ err: failure, projection: sink.name, attempt, nextMs }, A_BUG);
        },
      });
      return undefined;
    } catch (failure) {
      if (attempts < PARTITION_ATTEMPTS) throw failure;
      return { failure, attempts };
    }
  }
}
