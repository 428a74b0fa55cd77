/** Hands over arrived events in position order up to the watermark, one batch after another. */

import { bytesOfEvent } from '../../log/port.ts';
import type { Clock } from '../../schemas/clock.ts';
import { changesRights, type ParleyEvent } from '../../schemas/events/catalogue.ts';
import { TimeSlices } from '../../schemas/time-slices.ts';
import type { BatchListener } from '../engine/port.ts';
import { cutAtRightsChanges, Turns } from '../engine/rest.ts';

interface Arrived {
  readonly event: ParleyEvent;
  /** When it arrived as a pulse, in milliseconds of the reader's clock; `undefined` if it was read from the log. */
  readonly at: number | undefined;
}

/** How many events may wait, and how many bytes of them. */
export type Most = {
  readonly count: number;
  readonly bytes: number;
};

/** Events that have arrived but may not be handed over yet, in position order, each once. */
export class Pending {
  private entries: Arrived[] = [];
  private bytes = 0;

  isFull(most: Most): boolean {
    return this.entries.length >= most.count || this.bytes >= most.bytes;
  }

  /** Does nothing if the event is already there. Most events come in order and are added at the end. */
  add(event: ParleyEvent, at?: number): void {
    const { position } = event;
    const last = this.entries.at(-1);
    if (last === undefined || last.event.position < position) {
      this.entries.push({ event, at });
    } else {
      const index = this.firstBeyond(position - 1);
      if (this.entries[index]!.event.position === position) return;
      this.entries.splice(index, 0, { event, at });
    }
    this.bytes += bytesOfEvent(event);
  }

  /** How many are at or below a position. */
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

  /** The first events at or below a position, at most `limit`. They stay in the list. */
  upTo(position: number, limit: number): readonly Arrived[] {
    return this.entries.slice(0, Math.min(limit, this.firstBeyond(position)));
  }

  /** Removes the first `count`. */
  drop(count: number): void {
    if (count === 0) return;
    for (const { event } of this.entries.splice(0, count)) this.bytes -= bytesOfEvent(event);
  }
}

/** Events per batch, as in the log's own tail. */
const BATCH = 1000;

interface ReleaseOptions {
  /** Nothing at or below this position is still to come. */
  readonly watermark: () => number;
  /** How long an event has waited, in milliseconds. */
  readonly onReleased: (delayMs: number) => void;
  readonly onFailure: (error: unknown) => void;
  readonly clock: Clock;
  readonly stopping: AbortSignal;
}

export class Release {
  /** Events through here have been handed over. */
  position = 0;
  /** Events through here have been, or are being, handed over: later arrivals are too late. */
  released = 0;
  private readonly options: ReleaseOptions;
  private readonly pending = new Pending();
  private readonly turns = new Turns();
  private readonly slices: TimeSlices;
  private onBatch: BatchListener = async () => {};
  private releasing = false;
  private last: Promise<void> = Promise.resolve();
  private freed: (() => void) | undefined;

  constructor(options: ReleaseOptions) {
    this.options = options;
    this.slices = new TimeSlices(options.clock);
    options.stopping.addEventListener('abort', () => this.freed?.(), { once: true });
  }

  begin(position: number, onBatch: BatchListener): void {
    this.position = position;
    this.released = position;
    this.onBatch = onBatch;
  }

  /** Whether as many events wait as may. */
  isFull(most: Most): boolean {
    return this.pending.isFull(most);
  }

  /** @param event beyond `released` @param at when it arrived, unless it came from the log */
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

  /** Resolves once fewer events wait, or none of them may be handed over yet. */
  async room(most: Most): Promise<void> {
    while (this.isFull(most) && this.releasing && !this.options.stopping.aborted)
      await new Promise<void>((resolve) => {
        this.freed = resolve;
      });
  }

  /** Resolves when no batch is under way. */
  ended(): Promise<void> {
    return this.last;
  }

  private async releaseAll(): Promise<void> {
    const { watermark, stopping } = this.options;
    this.releasing = true;
    try {
      while (watermark() > this.released && !stopping.aborted) {
        // Batches may follow each other without any waiting.
        await this.slices.turn();
        await this.turns.batch(() => this.handOver());
      }
    } finally {
      this.releasing = false;
      this.freed?.();
    }
  }

  /** Chooses the batch only after the readers at rest are done, so that their new listeners get it too. */
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
