/** Hands over what has arrived, in position order up to the watermark, one batch after another. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../schemas/clock.ts';
import { changesRights, type ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { BatchListener } from '../engine/port.ts';
import { cutAtRightsChanges, Turns } from '../engine/turns.ts';

/** Events that have arrived and may not be handed over yet: in position order, each once. */
interface Arrived {
  readonly event: ParleyEvent;
  /** When it arrived as a pulse, in milliseconds of the reader's clock; `undefined` for what was read from the log. */
  readonly at: number | undefined;
}

export class Pending {
  private entries: Arrived[] = [];

  get size(): number {
    return this.entries.length;
  }

  /** Without effect when the event is there. Most come in order and are added at the end. */
  add(event: ParleyEvent, at?: number): void {
    const { position } = event;
    const last = this.entries.at(-1);
    if (last === undefined || last.event.position < position) {
      this.entries.push({ event, at });
      return;
    }
    const index = this.firstBeyond(position - 1);
    if (this.entries[index]!.event.position !== position) this.entries.splice(index, 0, { event, at });
  }

  /** How many stand at or below a position. */
  private firstBeyond(position: number): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.entries[middle]!.event.position <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first events at or below a position, at most `limit`; they stay. */
  upTo(position: number, limit: number): readonly Arrived[] {
    return this.entries.slice(0, Math.min(limit, this.firstBeyond(position)));
  }

  /** Removes the first `count`. */
  drop(count: number): void {
    if (count > 0) this.entries.splice(0, count);
  }
}

/** Events of one batch, as with the log's own tail. */
const BATCH = 1000;
/** Batches may follow each other without waiting for anything; sockets and timers get their turn in between. */
const LONGEST_TURN_MS = 10;

interface ReleaseOptions {
  /** Nothing that is at or below is still to come. */
  readonly watermark: () => number;
  /** How long an event has waited, in milliseconds. */
  readonly onReleased: (delayMs: number) => void;
  readonly onFailure: (error: unknown) => void;
  readonly clock: Clock;
  readonly stopping: AbortSignal;
}

export class Release {
  /** Through here events have been handed over. */
  position = 0;
  /** Through here events are handed over, or being so: what arrives now is too late. */
  released = 0;
  private readonly options: ReleaseOptions;
  private readonly pending = new Pending();
  private readonly turns = new Turns();
  private onBatch: BatchListener = async () => {};
  private releasing = false;
  private last: Promise<void> = Promise.resolve();
  private freed: (() => void) | undefined;

  constructor(options: ReleaseOptions) {
    this.options = options;
    options.stopping.addEventListener('abort', () => this.freed?.(), { once: true });
  }

  begin(position: number, onBatch: BatchListener): void {
    this.position = position;
    this.released = position;
    this.onBatch = onBatch;
  }

  /** Events that wait. */
  get waiting(): number {
    return this.pending.size;
  }

  /** @param event beyond `released` @param at when it arrived, where it did not come from the log */
  add(event: ParleyEvent, at?: number): void {
    this.pending.add(event, at);
  }

  /** The watermark may have moved. */
  advance(): void {
    if (!this.releasing) this.last = this.releaseAll().catch(this.options.onFailure);
  }

  atRest<T>(read: (position: number) => Promise<T>): Promise<T> {
    return this.turns.atRest(() => read(this.position));
  }

  /** Resolves when fewer than `limit` events wait, or none of those that do may be handed over yet. */
  async room(limit: number): Promise<void> {
    while (this.waiting >= limit && this.releasing && !this.options.stopping.aborted)
      await new Promise<void>((resolve) => {
        this.freed = resolve;
      });
  }

  /** Resolves when no batch is under way. */
  ended(): Promise<void> {
    return this.last;
  }

  private async releaseAll(): Promise<void> {
    const { watermark, clock, stopping } = this.options;
    this.releasing = true;
    try {
      let since = clock.monotonic();
      while (watermark() > this.released && !stopping.aborted) {
        if (clock.monotonic() - since > LONGEST_TURN_MS) {
          await nextTurn();
          since = clock.monotonic();
        }
        await this.turns.batch(() => this.handOver());
      }
    } finally {
      this.releasing = false;
      this.freed?.();
    }
  }

  /** What a batch consists of is settled only when nobody reads at rest any more: who came in the meantime gets it too. */
  private async handOver(): Promise<void> {
    const { batch, through } = this.next();
    this.pending.drop(batch.length);
    this.released = through;
    const now = this.options.clock.monotonic();
    for (const { at } of batch) if (at !== undefined) this.options.onReleased(now - at);
    await this.onBatch(
      batch.map(({ event }) => event),
      through,
    );
    this.position = through;
    this.freed?.();
  }

  private next(): { batch: readonly Arrived[]; through: number } {
    const watermark = this.options.watermark();
    const arrived = this.pending.upTo(watermark, BATCH);
    const [first] = cutAtRightsChanges(arrived.map(({ event }) => event));
    const batch = arrived.slice(0, first?.length ?? 0);
    const last = batch.at(-1)?.event;
    const more = batch.length < arrived.length || arrived.length === BATCH;
    return { batch, through: last !== undefined && (more || changesRights(last)) ? last.position : watermark };
  }
}
