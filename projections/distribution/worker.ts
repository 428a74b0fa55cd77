/**
 * Advances one partition of a projection: applies records of the distribution log, and what is missing from the event
 * log, to the store.
 */
import { bytesOfEvent } from '../../log/port.ts';
import type { ParleyEvent, UnreadableEvent } from '../../schemas/events/catalogue.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { Stopped } from '../../stores/guard.ts';
import type { EmptyRange } from '../engine/empty-ranges.ts';
import { partitionOf } from '../engine/partitions.ts';
import { CheckpointMoved, type PartitionBatch, type Place } from '../engine/port.ts';
import type { LogPages } from './log-pages.ts';
import { joined, type Range, Reassembly } from './reassembly.ts';
import { parseEvent, parseTick, type Tick } from './records.ts';

/** Events of one partition, and through which position they are all. */
interface Gathered {
  readonly events: readonly ParleyEvent[];
  readonly end: number;
  /** The event at `end`. */
  readonly unreadable?: UnreadableEvent;
}

/** Measured on Cassandra: batches of 2,000 give the highest rate. */
const MOST_AT_ONCE = 2000;
/** Most pages of the log read for one batch. */
const MOST_PAGES = 16;
/** Fetching pauses while more records than this are waiting. */
const ENOUGH = 4000;
/** Of their events. */
const ENOUGH_BYTES = 8_388_608;

/** One record of the distribution log. An unreadable record has neither field, so the next tick does not add up. */
export interface Delivered {
  readonly event?: ParleyEvent;
  readonly tick?: Tick;
  /** The offset after this record. */
  readonly next: string;
}

/** A tick has no key. An unreadable record is left out; the next tick shows that something is missing. */
export const deliveredOf = (
  json: string,
  isTick: boolean,
  next: string,
  onUnreadable: (failure: unknown) => void,
): Delivered => {
  try {
    return isTick ? { tick: parseTick(json), next } : { event: parseEvent(json), next };
  } catch (failure) {
    onUnreadable(failure);
    return { next };
  }
};

/** What is said of a batch once it is stored. */
export interface StoredBatch {
  /** The partition's new position. */
  readonly through: number;
  /** How many events it had. */
  readonly events: number;
  readonly source: 'distribution' | 'log';
  /** What it says of other partitions. */
  readonly empty: readonly EmptyRange[];
}

interface WorkerParts {
  readonly partition: number;
  readonly partitions: number;
  readonly epoch: string;
  /** The store's checkpoint of the partition. */
  readonly position: number;
  readonly pages: LogPages;
  /** Stores a batch and retries until it succeeds. @throws CheckpointMoved, Stopped */
  readonly apply: (batch: PartitionBatch, signal: AbortSignal) => Promise<void>;
  /** Leaves out the stream of an event that cannot be read. */
  readonly leaveOut: (failure: UnreadableEvent, signal: AbortSignal) => Promise<void>;
  /** Reads and retries until it succeeds. @throws Stopped */
  readonly read: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** Called after each stored batch. */
  readonly onThrough: (stored: StoredBatch) => void;
  /** Called once when the worker ends for any reason but being stopped. */
  readonly onFailure: (failure: unknown) => void;
}

export class PartitionWorker {
  private readonly parts: WorkerParts;
  private readonly follower: Reassembly;
  private queue: Delivered[] = [];
  /** Of the events in `queue`, approximately. */
  private queuedBytes = 0;
  private readonly visits: (() => Promise<void>)[] = [];
  private readonly stopping = new AbortController();
  private arrived: () => void = () => {};
  private taken: () => void = () => {};
  private readonly ended: Promise<void>;
  private stored: number;
  private resume: string | undefined;

  constructor(parts: WorkerParts) {
    this.parts = parts;
    this.follower = new Reassembly(parts.position, parts.epoch);
    this.stored = parts.position;
    this.ended = this.run().catch((failure: unknown) => {
      if (!this.stopped) parts.onFailure(failure);
    });
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  /** All of the partition's events up to this position are in the store. */
  get position(): number {
    return this.stored;
  }

  /** Where to resume in the distribution log: everything before is in the store. */
  get offset(): string | undefined {
    return this.resume;
  }

  push(records: readonly Delivered[]): void {
    if (this.stopped) return;
    for (const record of records) {
      this.queue.push(record);
      if (record.event !== undefined) this.queuedBytes += bytesOfEvent(record.event);
    }
    this.arrived();
  }

  get hasRoom(): boolean {
    return this.stopped || (this.queue.length < ENOUGH && this.queuedBytes < ENOUGH_BYTES);
  }

  /** Resolves when there may be room. */
  room(): Promise<void> {
    return new Promise((resolve) => {
      this.taken = resolve;
      if (this.hasRoom) resolve();
    });
  }

  /** Runs `work` between two batches, while the partition stays at one position. @throws what `work` throws; Stopped */
  visit(work: (position: number, signal: AbortSignal) => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.visits.push(async () => {
        if (this.stopped) reject(new Stopped());
        else await work(this.stored, this.stopping.signal).then(resolve, reject);
      });
      if (this.stopped) this.visits.pop()!();
      else this.arrived();
    });
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const visit = this.visits.shift();
      if (visit !== undefined) {
        await visit();
        continue;
      }
      if (this.queue.length === 0) {
        await new Promise<void>((resolve) => {
          this.arrived = resolve;
        });
        continue;
      }
      const records = this.queue;
      this.queue = [];
      this.queuedBytes = 0;
      this.taken();
      const { ranges, next } = this.follow(records);
      const news = ranges.length === 0 && next !== undefined ? [this.nothing()] : joined(ranges, MOST_AT_ONCE);
      if (await this.bringForward(news)) this.resume = next ?? this.resume;
    }
  }

  /** Records after the last tick are not in the store yet. The next owner reads them again. */
  private follow(records: readonly Delivered[]): { ranges: readonly Range[]; next: string | undefined } {
    const ranges: Range[] = [];
    let end: string | undefined;
    for (const { event, tick, next } of records) {
      if (event !== undefined) this.follower.event(event);
      if (tick === undefined) continue;
      const range = this.follower.tick(tick);
      if (range !== undefined) ranges.push(range);
      end = next;
    }
    return { ranges, next: end };
  }

  /** Idle ticks reach the store too: it may have a checkpoint in memory that is now due. */
  private nothing(): Range {
    return { from: this.stored, through: this.stored, events: [] };
  }

  /** @returns false if stopped before everything was done */
  private async bringForward(ranges: readonly Range[]): Promise<boolean> {
    let left = ranges;
    while (left.length > 0 && !this.stopped) {
      const [range, ...others] = left as readonly [Range, ...Range[]];
      try {
        if (range.events !== undefined) await this.store(range, range.events, 'distribution');
        else if (!(await this.fill(range.through))) return true;
        left = others;
      } catch (failure) {
        if (!(failure instanceof CheckpointMoved)) throw failure;
        left = this.moved(failure.actual, left.at(-1)!.through);
      }
    }
    return left.length === 0;
  }

  /** Another process stored more, or the store lost everything: the log supplies what is missing up to `through`. */
  private moved(actual: number, through: number): readonly Range[] {
    this.stored = actual;
    if (actual < through) return [{ from: actual, through, events: undefined }];
    this.follower.moveTo(actual);
    return [];
  }

  /** @returns false if the log ends before `through`: the tick came from another log */
  private async fill(through: number): Promise<boolean> {
    while (this.stored < through) {
      const { events, unreadable, end } = await this.gather(this.stored, through);
      if (end <= this.stored) {
        this.follower.moveTo(this.stored);
        return false;
      }
      if (unreadable !== undefined) {
        const { read, leaveOut } = this.parts;
        await read(() => leaveOut(unreadable, this.stopping.signal), this.stopping.signal);
      }
      await this.store({ from: this.stored, through: end }, events, 'log');
    }
    return true;
  }

  /**
   * A page holds only a few events of the partition, so reads enough pages for a worthwhile batch. One that cannot be read
   * comes alone, after all before it.
   */
  private async gather(from: number, through: number): Promise<Gathered> {
    const { partition, partitions, pages, read } = this.parts;
    const events: ParleyEvent[] = [];
    let end = from;
    const isOurs = ({ stream, position }: Place) => position <= end && partitionOf(stream, partitions) === partition;
    let bytes = 0;
    const isEnough = () => events.length >= MOST_AT_ONCE / 2 || bytes >= BUDGETS.log.commit.bytes;
    for (let count = 0; count < MOST_PAGES && !isEnough() && end < through; count += 1) {
      const page = await read(() => pages.after(end), this.stopping.signal);
      if (page.through <= end) break;
      end = Math.min(page.through, through);
      for (const event of page.events) {
        if (!isOurs(event)) continue;
        events.push(event);
        bytes += bytesOfEvent(event);
      }
      const unreadable = page.unreadable.find(({ event }) => isOurs(event));
      if (unreadable === undefined) continue;
      const { position } = unreadable.event;
      const before = events.filter((event) => event.position < position);
      return before.length > 0 ? { events: before, end: position - 1 } : { events: [], end: position, unreadable };
    }
    return { events, end };
  }

  private async store(
    { from, through, empty = [] }: Omit<Range, 'events'>,
    events: readonly ParleyEvent[],
    source: StoredBatch['source'],
  ): Promise<void> {
    const { partition, apply, onThrough } = this.parts;
    await apply({ partition, from, events, through, empty }, this.stopping.signal);
    this.stored = through;
    onThrough({ through, events: events.length, source, empty });
  }

  /** Accepts nothing more, and resolves when the work under way has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.arrived();
    this.taken();
    await this.ended;
    for (const visit of this.visits.splice(0)) await visit();
  }
}
