/** Fills one generation of a view from the log, which is read once for all partitions. */
import type { LogReader, Page } from '../../log/port.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { reasonOf, retrying } from '../../stores/guard.ts';
import { partitionOf } from './partitions.ts';
import { CheckpointMoved, type PartitionStore } from './port.ts';

const PAGE = 2000;
/** Events of one batch, the rate at which Cassandra stores most. */
const MOST_AT_ONCE = 2000;
/** Events read and not yet stored, of all partitions, beyond which reading waits. */
const ENOUGH = 20_000;
/** Where a target is so near that what moves it is only what happens meanwhile. */
const NEAR = 1000;

/** Unlike live, nothing is left out: a view that lacks something is not to be taken for whole. */
export class RebuildFailed extends Error {}

export interface FillingParts {
  readonly log: LogReader;
  readonly store: PartitionStore;
  /** Told when log or store cannot be asked now and are asked again. */
  readonly say: (line: string) => void;
  /** Told how far the whole of it is: everything up to there is stored. */
  readonly onProgress?: (through: number) => void;
}

/** What waits to be stored in one partition. */
interface Share {
  events: ParleyEvent[];
  /** Everything of the partition up to here is in `events`, or stored. */
  read: number;
  storing: Promise<void> | undefined;
  /** The store stands elsewhere, or the sweep has failed: nothing more of it is stored this time. */
  over: boolean;
}

export class Filling {
  private readonly parts: FillingParts;
  private readonly reached: number[];
  /** Partitions that somebody else has begun to follow. */
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

  /** Brings every partition that is not there yet to its target, which the log must have reached. */
  async to(targets: readonly number[]): Promise<void> {
    // A store that lost something, or that somebody else has moved, is gone through again from where it stands.
    while (this.reached.some((position, partition) => position < targets[partition]!)) await this.sweep(targets);
  }

  /** As `to`, again and again until the targets are near enough to be kept up with. */
  async upTo(targetsNow: () => Promise<readonly number[]>): Promise<void> {
    for (let near = false; !near; ) {
      const targets = await targetsNow();
      near = this.reached.every((position, partition) => targets[partition]! - position < NEAR);
      await this.to(targets);
    }
  }

  private async sweep(targets: readonly number[]): Promise<void> {
    const shares = this.reached.map((read): Share => ({ events: [], read, storing: undefined, over: false }));
    const storing = () => shares.flatMap((share) => share.storing ?? []);
    try {
      const behind = this.reached.filter((position, partition) => position < targets[partition]!);
      const last = Math.max(...targets);
      for (let after = Math.min(...behind); after < last; ) {
        const page = await this.page(after);
        if (page.through <= after) throw new RebuildFailed(`the log ends at ${after}, before ${last}`);
        after = page.through;
        this.share(page, shares, targets);
        while (shares.reduce((sum, { events }) => sum + events.length, 0) > ENOUGH) await Promise.race(storing());
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
      if (!share.over && event.position > share.read && event.position <= targets[partition]!) share.events.push(event);
    }
    for (const [partition, share] of shares.entries()) {
      share.read = Math.max(share.read, Math.min(through, targets[partition]!));
      this.store(partition, share);
    }
  }

  /** One batch at a time for each partition; what comes meanwhile is the next. */
  private store(partition: number, share: Share): void {
    if (share.over || share.storing !== undefined || share.read <= this.reached[partition]!) return;
    const events = share.events.splice(0, MOST_AT_ONCE);
    const through = share.events.length > 0 ? events.at(-1)!.position : share.read;
    share.storing = this.commit(partition, events, through).then((stored) => {
      share.storing = undefined;
      share.over ||= !stored;
      if (share.over) share.events.length = 0;
      else this.store(partition, share);
    });
    // Awaited by whoever waits for the share; unheard until then it would end the process.
    share.storing.catch(() => {});
  }

  /** @returns false when the store stands elsewhere. */
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
    // Which one is it?
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
    const again = (failure: unknown) => !(failure instanceof CheckpointMoved) && store.kindOf(failure) === 'transient';
    return this.asked('the store', work, again);
  }

  /** For as long as it takes, unless another try would meet the same. */
  private asked<T>(what: string, work: () => Promise<T>, again: (failure: unknown) => boolean): Promise<T> {
    return retrying(work, {
      signal: this.never,
      again,
      onRetry: (failure, _attempt, nextMs) =>
        this.parts.say(`${what} cannot be asked now (${reasonOf(failure)}); again in ${(nextMs / 1000).toFixed(1)} s`),
    });
  }

  /** Stores the checkpoints that are only remembered. */
  flush(): Promise<void> {
    return this.askedOfStore(() => this.parts.store.flush());
  }

  /**
   * Where others write too: brings the partitions to their targets that nobody else has moved.
   * @returns true when somebody else moves every one
   */
  async handOver(targets: readonly number[]): Promise<boolean> {
    const standing = await this.askedOfStore(() => this.parts.store.checkpoints());
    for (const [partition, position] of standing.entries()) {
      if (position > this.reached[partition]!) this.taken.add(partition);
      this.reached[partition] = position;
    }
    const own = targets.map((target, partition) => (this.taken.has(partition) ? 0 : target));
    await this.sweep(own);
    await this.flush();
    return this.taken.size === this.reached.length;
  }
}
