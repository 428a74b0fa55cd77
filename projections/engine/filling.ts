/** Fills one generation of a view from the log. Reads the log once for all partitions. */

import { bytesOfEvent, type LogReader, type Page } from '../../log/port.ts';
import type { Clock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { reasonOf, retrying } from '../../stores/guard.ts';
import { partitionOf } from './partitions.ts';
import { CheckpointMoved, type PartitionStore } from './port.ts';

const PAGE = 2000;
/** Events per batch: the size at which Cassandra is fastest. */
const MOST_AT_ONCE = 2000;
/** Reading pauses while more events than this, over all partitions, are read and not yet stored. */
const ENOUGH = 20_000;
/** The same in bytes: two batches of the largest size. */
const ENOUGH_BYTES = 2 * BUDGETS.log.commit.bytes;
/** A target this near has caught up: what moves it is only the current traffic. */
const NEAR = 1000;

/** Unlike live operation, a rebuild skips no event: an incomplete view must not pass for a complete one. */
export class RebuildFailed extends Error {}

export interface FillingParts {
  readonly clock: Clock;
  readonly log: LogReader;
  readonly store: PartitionStore;
  /** Called when the log or the store is unavailable and is tried again. */
  readonly say: (line: string) => void;
  /** Called with the position up to which everything is stored. */
  readonly onProgress?: (through: number) => void;
}

/** The events of one partition that wait to be stored. */
interface Share {
  events: ParleyEvent[];
  /** Of `events`, approximately. */
  bytes: number;
  /** Everything of the partition up to here is in `events` or stored. */
  read: number;
  storing: Promise<void> | undefined;
  /** The store's checkpoint has moved, or the sweep has failed: nothing more is stored in this sweep. */
  over: boolean;
}

const hasEnough = (shares: readonly Share[]): boolean =>
  shares.reduce((sum, { events }) => sum + events.length, 0) > ENOUGH ||
  shares.reduce((sum, { bytes }) => sum + bytes, 0) > ENOUGH_BYTES;

/** Takes the next batch out: at most `MOST_AT_ONCE` events, and none beyond the one that makes it as large as a commit. */
const nextBatch = (share: Share): readonly ParleyEvent[] => {
  let count = 0;
  let bytes = 0;
  while (count < share.events.length && count < MOST_AT_ONCE && bytes < BUDGETS.log.commit.bytes) {
    bytes += bytesOfEvent(share.events[count]!);
    count += 1;
  }
  share.bytes -= bytes;
  return share.events.splice(0, count);
};

export class Filling {
  private readonly parts: FillingParts;
  private readonly reached: number[];
  /** Partitions that another process has begun to follow. */
  private readonly taken = new Set<number>();
  private readonly never = new AbortController().signal;

  private constructor(parts: FillingParts, reached: readonly number[]) {
    this.parts = parts;
    this.reached = [...reached];
  }

  static async begin(parts: FillingParts): Promise<Filling> {
    return new Filling(parts, await parts.store.checkpoints());
  }

  /** Position through which each partition is stored. */
  get positions(): readonly number[] {
    return this.reached;
  }

  get lowest(): number {
    return Math.min(...this.reached);
  }

  /** Brings every partition that is behind its target to it. The log must have reached the targets. */
  async to(targets: readonly number[]): Promise<void> {
    // If the store lost something, or another process moved it, the next sweep starts from its new position.
    while (this.reached.some((position, partition) => position < targets[partition]!)) await this.sweep(targets);
  }

  /** Repeats `to` until the targets are near enough to keep up with. */
  async upTo(targetsNow: () => Promise<readonly number[]>): Promise<void> {
    for (let near = false; !near; ) {
      const targets = await targetsNow();
      near = this.reached.every((position, partition) => targets[partition]! - position < NEAR);
      await this.to(targets);
    }
  }

  private async sweep(targets: readonly number[]): Promise<void> {
    const shares = this.reached.map((read): Share => ({ events: [], bytes: 0, read, storing: undefined, over: false }));
    const storing = () => shares.flatMap((share) => share.storing ?? []);
    try {
      const behind = this.reached.filter((position, partition) => position < targets[partition]!);
      const last = Math.max(...targets);
      for (let after = Math.min(...behind); after < last; ) {
        const page = await this.page(after);
        if (page.through <= after) throw new RebuildFailed(`the log ends at ${after}, before ${last}`);
        after = page.through;
        this.share(page, shares, targets);
        while (hasEnough(shares)) await Promise.race(storing());
      }
      while (storing().length > 0) await Promise.all(storing());
    } finally {
      for (const share of shares) share.over = true;
      await Promise.allSettled(storing());
    }
  }

  private page(after: number): Promise<Page> {
    const { log } = this.parts;
    const again = (failure: unknown) => failure instanceof StoreUnavailable;
    return this.asked('the log', () => log.readAll({ after, limit: PAGE }), again);
  }

  private share({ events, through }: Page, shares: readonly Share[], targets: readonly number[]): void {
    for (const event of events) {
      const partition = partitionOf(event.stream, shares.length);
      const share = shares[partition]!;
      if (share.over || event.position <= share.read || event.position > targets[partition]!) continue;
      share.events.push(event);
      share.bytes += bytesOfEvent(event);
    }
    for (const [partition, share] of shares.entries()) {
      share.read = Math.max(share.read, Math.min(through, targets[partition]!));
      this.store(partition, share);
    }
  }

  /** Stores one batch per partition at a time. Events that arrive meanwhile form the next. */
  private store(partition: number, share: Share): void {
    if (share.over || share.storing !== undefined || share.read <= this.reached[partition]!) return;
    const events = nextBatch(share);
    const through = share.events.length > 0 ? events.at(-1)!.position : share.read;
    share.storing = this.commit(partition, events, through).then((stored) => {
      share.storing = undefined;
      share.over ||= !stored;
      if (share.over) {
        share.events.length = 0;
        share.bytes = 0;
      } else this.store(partition, share);
    });
    // `sweep` awaits this promise later. Without a handler until then, a rejection would end the process.
    share.storing.catch(() => {});
  }

  /** @returns false if the store's checkpoint has moved */
  private async commit(partition: number, events: readonly ParleyEvent[], through: number): Promise<boolean> {
    const { store } = this.parts;
    const from = this.reached[partition]!;
    try {
      await this.askedOfStore(() => store.commit({ partition, from, events, through }));
      this.moved(partition, through);
      return true;
    } catch (failure) {
      if (failure instanceof CheckpointMoved) {
        this.moved(partition, failure.actual);
        return false;
      }
      if (events.length <= 1) throw this.explained(failure, events[0]);
    }
    // Finds the event that fails.
    for (const event of events) if (!(await this.commit(partition, [event], event.position))) return false;
    return this.commit(partition, [], through);
  }

  private moved(partition: number, position: number): void {
    this.reached[partition] = position;
    this.parts.onProgress?.(this.lowest);
  }

  private explained(failure: unknown, event: ParleyEvent | undefined): unknown {
    if (event === undefined) return failure;
    const { id, type, stream, sequence, position } = event;
    return new RebuildFailed(
      `event ${id} (${type}, ${stream} ${sequence}, position ${position}) cannot be applied: ${reasonOf(failure)}`,
      { cause: failure },
    );
  }

  private askedOfStore<T>(work: () => Promise<T>): Promise<T> {
    const { store } = this.parts;
    const again = (failure: unknown) =>
      !(failure instanceof CheckpointMoved) && store.classify(failure) === 'transient';
    return this.asked('the store', work, again);
  }

  /** Retries until it succeeds, unless a retry would fail the same way. */
  private asked<T>(what: string, work: () => Promise<T>, again: (failure: unknown) => boolean): Promise<T> {
    return retrying(work, {
      clock: this.parts.clock,
      signal: this.never,
      again,
      onRetry: (failure, _attempt, nextMs) =>
        this.parts.say(`${what} cannot be asked now (${reasonOf(failure)}); again in ${(nextMs / 1000).toFixed(1)} s`),
    });
  }

  /** Stores the checkpoints that are only in memory. */
  flush(): Promise<void> {
    return this.askedOfStore(() => this.parts.store.flush());
  }

  /**
   * Runs while live followers write too: brings the partitions that no other process moves to their targets.
   * @returns true once other processes move all of them
   */
  async handOver(targets: readonly number[]): Promise<boolean> {
    const stored = await this.askedOfStore(() => this.parts.store.checkpoints());
    for (const [partition, position] of stored.entries()) {
      if (position > this.reached[partition]!) this.taken.add(partition);
      this.reached[partition] = position;
    }
    const own = targets.map((target, partition) => (this.taken.has(partition) ? 0 : target));
    await this.sweep(own);
    await this.flush();
    return this.taken.size === this.reached.length;
  }
}
