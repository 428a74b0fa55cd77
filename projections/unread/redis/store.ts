import { CheckpointMoved, type PartitionBatch, type PartitionStore } from '../../runner/partition-store.ts';
import { unreadChanges } from '../project.ts';
import { kindOf } from './failures.ts';
import type { RedisUnreadWriter, Standing } from './writer.ts';

const FLUSH_MS = 1000;
/** A store that is filled anew is whole when it is this near to the log's head: milliseconds, at the pace of filling. */
const NEAR = 1000;

export interface StoreParts {
  readonly writer: RedisUnreadWriter;
  /** Position of the log's last event: an emptied store is whole again only when it is there. */
  readonly logHead: () => Promise<number>;
  /** Milliseconds that never go back. */
  readonly clock?: () => number;
}

const EMPTY: Standing = { through: 0, whole: 0 };

export class RedisUnreadStore implements PartitionStore {
  readonly name = 'unread';
  readonly kindOf = kindOf;
  private readonly writer: RedisUnreadWriter;
  private readonly logHead: () => Promise<number>;
  private readonly clock: () => number;
  /** What this store last read or wrote. */
  private readonly stored = new Map<number, Standing>();
  /** Beyond that, without events in between. */
  private readonly remembered = new Map<number, number>();
  private flushed: number;

  constructor({ writer, logHead, clock }: StoreParts) {
    this.writer = writer;
    this.logHead = logHead;
    this.clock = clock ?? (() => performance.now());
    this.flushed = this.clock();
  }

  async checkpoints(): Promise<readonly number[]> {
    const found = await this.writer.standings();
    this.remembered.clear();
    for (const [partition, standing] of found.entries()) this.stored.set(partition, standing);
    return found.map(({ through }) => through);
  }

  async commit(batch: PartitionBatch): Promise<void> {
    const { partition, from, events, through } = batch;
    if (!this.stored.has(partition)) this.stored.set(partition, { ...EMPTY, through: from });
    const stored = this.stored.get(partition) ?? EMPTY;
    // What is not whole is not believed, so nothing of it waits.
    if (events.length > 0 || stored.through === 0 || stored.through < stored.whole) return this.write(batch);
    this.remembered.set(partition, through);
    if (this.clock() - this.flushed < FLUSH_MS) return;
    const moved = (await this.flushNow()).get(partition);
    if (moved !== undefined) throw new CheckpointMoved(partition, from, moved);
  }

  async flush(): Promise<void> {
    await this.flushNow();
  }

  private async write({ partition, from, events, through }: PartitionBatch): Promise<void> {
    const former = this.stored.get(partition) ?? EMPTY;
    const whole = await this.wholeAt(former, through);
    const changes = unreadChanges(events);
    const found = await this.writer.commit(partition, changes, { from: former.through, through, whole });
    this.stored.set(partition, found);
    this.remembered.delete(partition);
    // A commit whose answer was lost is repeated: it is there.
    if (found.through !== through) throw new CheckpointMoved(partition, from, found.through);
  }

  /** Filled from the beginning, a store is whole where the log ends, and when it gets there, where the log ends then. */
  private async wholeAt(former: Standing, through: number): Promise<number | undefined> {
    const begins = former.through === 0;
    if (!begins && !(former.through < former.whole && former.whole <= through)) return undefined;
    const head = await this.logHead();
    return begins || head > through + NEAR ? Math.max(head, through) : undefined;
  }

  /** Partitions that somebody else has moved are left to their next commit. @returns where those stand. */
  private async flushNow(): Promise<ReadonlyMap<number, number>> {
    this.flushed = this.clock();
    const moved = new Map<number, number>();
    await Promise.all(
      [...this.remembered].map(async ([partition, through]) => {
        const former = this.stored.get(partition) ?? EMPTY;
        if (through === former.through) return;
        const whole = await this.wholeAt(former, through);
        const found = await this.writer.commit(partition, [], { from: former.through, through, whole });
        this.stored.set(partition, found);
        this.remembered.delete(partition);
        if (found.through !== through) moved.set(partition, found.through);
      }),
    );
    return moved;
  }
}
