/** Folded states of long streams, kept so that a cold stream loads without reading all of it. Disposable. */

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

/** A snapshot as it is kept. */
export interface StoredSnapshot extends Omit<StateSnapshot, 'state'> {
  /** The state as JSON text. */
  readonly json: string;
}

export interface SnapshotWriter {
  /** Each takes the place of its stream's former one. */
  apply(snapshots: readonly StoredSnapshot[]): void | Promise<void>;
}

// Folds long streams along with the projections and yields a snapshot every so many events.

/** A cold stream is read from its snapshot on: at most about this many events. */
export const SNAPSHOT_EVERY = 250;

/**
 * A state is as large as what it remembers of the last minutes, so in a flood its snapshots would cost more than the
 * events. One is therefore due when as many bytes of events have passed as the last one had; and while a state is larger
 * than this (some 5 ms to write down) its stream rests until those minutes have passed.
 */
const LARGEST = 500_000;
const BYTES_PER_EVENT = 256;

/** Once a batch has snapshots of this size, further ones wait for the next: channels that grow alike would all be due at once. */
const BYTES_PER_BATCH = 100_000;

const LIVE_STREAMS = 256;

interface Live {
  readonly fold: Fold<unknown>;
  state: unknown;
  sequence: number;
  /** Sequence at which the next snapshot is due. */
  due: number;
}

/**
 * Only a stream about to cross a multiple of `SNAPSHOT_EVERY` has its state loaded, so short streams cost nothing and a
 * stream that fell out of memory is read once in `SNAPSHOT_EVERY` events.
 */
export class Folding {
  private readonly foldOf: (stream: string) => Fold<unknown> | undefined;
  private readonly log: LogReader;
  private readonly snapshots: SnapshotReader;
  private readonly live = new LRUCache<string, Live>({ max: LIVE_STREAMS });
  /** Streams that grew too large, and the event time until which they rest. */
  private readonly resting = new Map<string, number>();

  constructor(foldOf: (stream: string) => Fold<unknown> | undefined, log: LogReader, snapshots: SnapshotReader) {
    this.foldOf = foldOf;
    this.log = log;
    this.snapshots = snapshots;
  }

  /** Makes the states ready that these events will turn into snapshots; `undefined` when there are none. */
  prepare(events: readonly ParleyEvent[]): Promise<void> | undefined {
    return events.some((event) => this.mustBeLoadedFor(event)) ? this.load(events) : undefined;
  }

  private mustBeLoadedFor({ stream, sequence, time }: ParleyEvent): boolean {
    if (sequence % SNAPSHOT_EVERY !== 0 || this.live.has(stream)) return false;
    const rest = this.resting.get(stream);
    if (rest !== undefined && time < rest) return false;
    return this.foldOf(stream) !== undefined;
  }

  private async load(events: readonly ParleyEvent[]): Promise<void> {
    const first = new Map<string, number>();
    for (const event of events) {
      if (!first.has(event.stream)) first.set(event.stream, event.sequence);
      if (!this.mustBeLoadedFor(event)) continue;
      this.resting.delete(event.stream);
      const live = await this.stateBefore(event.stream, first.get(event.stream)!, this.foldOf(event.stream)!);
      this.live.set(event.stream, { ...live, due: event.sequence });
    }
  }

  private async stateBefore(stream: string, sequence: number, fold: Fold<unknown>): Promise<Omit<Live, 'due'>> {
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

  private startingWith(latest: StateSnapshot | undefined, before: number, fold: Fold<unknown>): Omit<Live, 'due'> {
    if (latest === undefined || latest.version !== fold.version || latest.sequence >= before)
      return { fold, state: fold.initial(), sequence: 0 };
    return { fold, state: fold.fromJson(latest.state), sequence: latest.sequence };
  }

  private evolve(live: Omit<Live, 'due'>, event: ParleyEvent): void {
    live.state = live.fold.evolve(live.state, event);
    live.sequence = event.sequence;
  }

  /** Moves the live states and answers the snapshots that fall due, the last of each stream. */
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
      this.resting.set(stream, time + REMEMBERED_MS);
      return undefined;
    }
    live.due = sequence + Math.max(SNAPSHOT_EVERY, Math.ceil(json.length / BYTES_PER_EVENT));
    return { stream, sequence, version: live.fold.version, json };
  }

  /** After a batch that was not stored: the live states may be ahead of it. */
  forget(): void {
    this.live.clear();
  }
}
