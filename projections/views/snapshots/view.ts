/** Folded states of long streams, so that a cold stream loads without reading all of it. Disposable. */

import { LRUCache } from 'lru-cache';
import type { Fold } from '../../../domain/decider.ts';
import { REMEMBERED_MS } from '../../../domain/recent-keys.ts';
import type { LogReader } from '../../../log/port.ts';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';

export interface StateSnapshot {
  readonly stream: string;
  readonly sequence: number;
  /** Version of the fold; a snapshot of another version is not used. */
  readonly version: number;
  /** Plain JSON. */
  readonly state: unknown;
}

export interface SnapshotReader {
  latest(stream: string): Promise<StateSnapshot | undefined>;
}

/** A snapshot as stored. */
export interface StoredSnapshot extends Omit<StateSnapshot, 'state'> {
  /** The state as JSON text. */
  readonly json: string;
}

export interface SnapshotWriter {
  /** Each replaces its stream's previous snapshot. */
  apply(snapshots: readonly StoredSnapshot[]): void | Promise<void>;
}

// Folds long streams along with the projections and takes a snapshot at regular intervals.

/** A cold stream is read from its snapshot on: at most about this many events. */
export const SNAPSHOT_EVERY = 250;

/**
 * A state contains what happened in its last minutes, so during a flood its snapshots would cost more than the events.
 * So the next snapshot is due after four times as many bytes of events as the last snapshot had: 64 of its bytes are paid
 * for by one event. A stream whose state is larger than this (about 5 ms to write) pauses until those minutes have passed.
 */
const LARGEST = 500_000;
const BYTES_PER_EVENT = 64;

/**
 * Once a batch has snapshots of this size, the rest wait for the next batch: channels that grow alike would all be due
 * at once.
 */
const BYTES_PER_BATCH = 100_000;

const LIVE_STREAMS = 256;
/** Of the snapshots of all live streams, as JSON; their states take about twice as much. */
const LIVE_BYTES = 33_554_432;

interface Live {
  readonly fold: Fold<unknown>;
  state: unknown;
  sequence: number;
  /** Sequence at which the next snapshot is due. */
  due: number;
  /** Length of its last snapshot. */
  bytes: number;
  /** Sequence of the snapshot that it was loaded from, or that was taken since. */
  snapshot: number;
}

type Unscheduled = Omit<Live, 'due' | 'bytes'>;

/** A stream rests until an event is at or beyond both. */
interface Rest {
  readonly time: number;
  readonly sequence: number;
}

/**
 * Loads the state of a stream only when the stream is about to cross a multiple of `SNAPSHOT_EVERY`. So short streams
 * cost nothing, and a stream that fell out of memory is read once in `SNAPSHOT_EVERY` events.
 */
export class Folding {
  private readonly foldOf: (stream: string) => Fold<unknown> | undefined;
  private readonly log: LogReader;
  private readonly snapshots: SnapshotReader;
  private readonly live = new LRUCache<string, Live>({
    max: LIVE_STREAMS,
    maxSize: LIVE_BYTES,
    sizeCalculation: ({ bytes }) => bytes,
  });
  /** Streams whose state grew too large, and until when. */
  private readonly resting = new Map<string, Rest>();

  constructor(foldOf: (stream: string) => Fold<unknown> | undefined, log: LogReader, snapshots: SnapshotReader) {
    this.foldOf = foldOf;
    this.log = log;
    this.snapshots = snapshots;
  }

  /** Loads the states of which these events will take snapshots; `undefined` if there are none. */
  prepare(events: readonly ParleyEvent[]): Promise<void> | undefined {
    return events.some((event) => this.mustBeLoadedFor(event)) ? this.load(events) : undefined;
  }

  private mustBeLoadedFor({ stream, sequence, time }: ParleyEvent): boolean {
    if (sequence % SNAPSHOT_EVERY !== 0 || this.live.has(stream)) return false;
    const rest = this.resting.get(stream);
    if (rest !== undefined && (time < rest.time || sequence < rest.sequence)) return false;
    return this.foldOf(stream) !== undefined;
  }

  private async load(events: readonly ParleyEvent[]): Promise<void> {
    const first = new Map<string, number>();
    for (const event of events) {
      if (!first.has(event.stream)) first.set(event.stream, event.sequence);
      if (!this.mustBeLoadedFor(event)) continue;
      this.resting.delete(event.stream);
      const live = await this.stateBefore(event.stream, first.get(event.stream)!, this.foldOf(event.stream)!);
      this.live.set(event.stream, { ...live, due: event.sequence, bytes: 1 });
    }
  }

  private async stateBefore(stream: string, sequence: number, fold: Fold<unknown>): Promise<Unscheduled> {
    const latest = await this.snapshots.latest(stream);
    const live = this.startingWith(latest, sequence, fold);
    while (live.sequence < sequence - 1) {
      const limit = Math.min(1000, sequence - 1 - live.sequence);
      const events = await this.log.readStream({ stream, from: live.sequence + 1, limit });
      if (events.length === 0) throw new Error(`Stream ${stream} ends before its event ${sequence}`);
      for (const event of events) this.evolve(live, event);
    }
    return live;
  }

  private startingWith(latest: StateSnapshot | undefined, before: number, fold: Fold<unknown>): Unscheduled {
    if (latest === undefined || latest.version !== fold.version || latest.sequence >= before)
      return { fold, state: fold.initial(), sequence: 0, snapshot: 0 };
    const { state, sequence } = latest;
    return { fold, state: fold.fromJson(state), sequence, snapshot: sequence };
  }

  private evolve(live: Unscheduled, event: ParleyEvent): void {
    live.state = live.fold.evolve(live.state, event);
    live.sequence = event.sequence;
  }

  /** Advances the live states. @returns the snapshots that are due, the last of each stream */
  fold(events: readonly ParleyEvent[]): readonly StoredSnapshot[] {
    const due = new Map<string, StoredSnapshot>();
    let bytes = 0;
    for (const event of events) {
      const live = this.live.get(event.stream);
      if (live === undefined) continue;
      if (live.sequence !== event.sequence - 1) {
        this.live.delete(event.stream);
        continue;
      }
      this.evolve(live, event);
      if (event.sequence < live.due || bytes > BYTES_PER_BATCH) continue;
      const snapshot = this.snapshotOf(live, event);
      if (snapshot === undefined) continue;
      due.set(event.stream, snapshot);
      bytes += snapshot.json.length;
    }
    return [...due.values()];
  }

  private snapshotOf(live: Live, { stream, sequence, time }: ParleyEvent): StoredSnapshot | undefined {
    const json = JSON.stringify(live.fold.toJson(live.state));
    if (json.length > LARGEST) {
      this.live.delete(stream);
      // Loading it again reads what follows its last snapshot, so it rests for as many events: a state that stays too large
      // must not be read again and again.
      this.resting.set(stream, { time: time + REMEMBERED_MS, sequence: 2 * sequence - live.snapshot });
      return undefined;
    }
    live.snapshot = sequence;
    live.bytes = json.length;
    this.live.set(stream, live);
    live.due = sequence + Math.max(SNAPSHOT_EVERY, Math.ceil(json.length / BYTES_PER_EVENT));
    return { stream, sequence, version: live.fold.version, json };
  }

  /** Drops the live states after a batch that was not stored, because they may be ahead of it. */
  forget(): void {
    this.live.clear();
  }
}
