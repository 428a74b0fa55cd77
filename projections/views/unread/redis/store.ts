import type { ParleyEvent } from '../../../../schemas/events/catalogue.ts';
import type { Redis } from '../../../../stores/redis/connection.ts';
import { classify } from '../../../../stores/redis/failures.ts';
import { CheckpointMoved, type PartitionBatch, type PartitionStore } from '../../../engine/port.ts';
import { type UnreadRows, unreadChanges } from '../view.ts';
import { Keys, type UnreadPlace } from './keys.ts';
import { RedisUnreadRows } from './reader.ts';
import { type Reached, RedisUnreadWriter } from './writer.ts';

const FLUSH_MS = 1000;
/** How near the log's head a refilled store must be to count as complete: milliseconds of filling. */
const NEAR = 1000;

interface StoreParts {
  readonly writer: RedisUnreadWriter;
  /** Position of the log's last event. An emptied store is complete again only once it has reached it. */
  readonly logHead: () => Promise<number>;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

const EMPTY: Reached = { through: 0, whole: 0 };

export class RedisUnreadStore implements PartitionStore {
  readonly name = 'unread';
  readonly classify = classify;
  private readonly writer: RedisUnreadWriter;
  private readonly logHead: () => Promise<number>;
  private readonly clock: () => number;
  /** What this store last read or wrote. */
  private readonly stored = new Map<number, Reached>();
  /** Checkpoints beyond that, without events in between. */
  private readonly remembered = new Map<number, number>();
  private flushed: number;

  constructor({ writer, logHead, clock }: StoreParts) {
    this.writer = writer;
    this.logHead = logHead;
    this.clock = clock;
    this.flushed = this.clock();
  }

  async checkpoints(): Promise<readonly number[]> {
    const found = await this.writer.reached();
    this.remembered.clear();
    for (const [partition, reached] of found.entries()) this.stored.set(partition, reached);
    return found.map(({ through }) => through);
  }

  async commit(batch: PartitionBatch): Promise<void> {
    const { partition, from, events, through } = batch;
    const stored = this.stored.get(partition) ?? { ...EMPTY, through: from };
    this.stored.set(partition, stored);
    const reached = this.remembered.get(partition) ?? stored.through;
    // A failed commit is repeated although it may be stored.
    if (reached !== from && reached !== through) this.moved(batch, stored);
    if (stored.through === through) return;
    // Readers do not trust an incomplete partition, so its checkpoint is stored at once.
    if (events.length > 0 || stored.through === 0 || stored.through < stored.whole) return this.write(batch, stored);
    this.remembered.set(partition, through);
    if (this.clock() - this.flushed < FLUSH_MS) return;
    const found = (await this.flushNow()).get(partition);
    if (found !== undefined) this.moved(batch, found);
  }

  async repair(events: readonly ParleyEvent[]): Promise<void> {
    await this.writer.apply(unreadChanges(events));
  }

  async flush(): Promise<void> {
    await this.flushNow();
  }

  private async write(batch: PartitionBatch, stored: Reached): Promise<void> {
    const { partition, events, through } = batch;
    const whole = await this.wholeAt(stored, through);
    const moves = { from: stored.through, through, whole };
    const found = await this.writer.commit(partition, unreadChanges(events), moves);
    if (found.through !== through) this.moved(batch, found);
    this.stored.set(partition, found);
    this.remembered.delete(partition);
  }

  private moved({ partition, from }: PartitionBatch, found: Reached): never {
    this.stored.set(partition, found);
    this.remembered.delete(partition);
    throw new CheckpointMoved(partition, from, found.through);
  }

  /**
   * A partition filled from the start is complete at the log's current head. On reaching that it looks at the head
   * again.
   */
  private async wholeAt(stored: Reached, through: number): Promise<number | undefined> {
    const begins = stored.through === 0;
    if (!begins && !(stored.through < stored.whole && stored.whole <= through)) return undefined;
    const head = await this.logHead();
    return begins || head > through + NEAR ? Math.max(head, through) : undefined;
  }

  /** Skips partitions that another process has moved, until their next commit. @returns their actual checkpoints */
  private async flushNow(): Promise<ReadonlyMap<number, Reached>> {
    this.flushed = this.clock();
    const moved = new Map<number, Reached>();
    await Promise.all(
      [...this.remembered].map(async ([partition, through]) => {
        const stored = this.stored.get(partition) ?? EMPTY;
        if (through === stored.through) return;
        const whole = await this.wholeAt(stored, through);
        const found = await this.writer.commit(partition, [], { from: stored.through, through, whole });
        if (found.through !== through) moved.set(partition, found);
        // Otherwise a later position was stored or remembered meanwhile.
        else if (this.stored.get(partition) === stored) this.stored.set(partition, found);
      }),
    );
    return moved;
  }
}

// Heads, read markers and mentions in Redis.

/** One generation's unread counts. Nothing has to exist yet. @param logHead position of the log's last event */
export const openRedisUnread = ({
  redis,
  logHead,
  clock,
  ...place
}: UnreadPlace & {
  readonly redis: Redis;
  readonly logHead: () => Promise<number>;
  /** Milliseconds that never go back. */
  readonly clock: () => number;
}): {
  readonly rows: UnreadRows;
  readonly store: PartitionStore;
} => {
  const keys = new Keys(place);
  return {
    rows: new RedisUnreadRows(redis, keys),
    store: new RedisUnreadStore({ writer: new RedisUnreadWriter(redis, keys), logHead, clock }),
  };
};
