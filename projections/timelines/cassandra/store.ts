import type { ParleyEvent } from '../../../schemas/events/index.ts';
import { CheckpointMoved, type PartitionBatch, type PartitionStore } from '../../runner/partition-store.ts';
import type { TimelineWriter } from '../port.ts';
import { timelineChanges } from '../project.ts';
import type { Checkpoints } from './checkpoints.ts';
import { kindOf } from './failures.ts';

const FLUSH_MS = 1000;

interface StoreParts {
  readonly writer: TimelineWriter;
  readonly checkpoints: Checkpoints;
  readonly partitions: number;
  /** Milliseconds that never go back. */
  readonly clock?: () => number;
}

export class CassandraPartitionStore implements PartitionStore {
  readonly name = 'timelines';
  readonly kindOf = kindOf;
  private readonly parts: StoreParts;
  private readonly clock: () => number;
  /** What this store last read or wrote. */
  private readonly stored = new Map<number, number>();
  /** Beyond that, without events in between. */
  private readonly remembered = new Map<number, number>();
  private flushed: number;

  constructor(parts: StoreParts) {
    this.parts = parts;
    this.clock = parts.clock ?? (() => performance.now());
    this.flushed = this.clock();
  }

  async checkpoints(): Promise<readonly number[]> {
    const found = await this.parts.checkpoints.readAll();
    return Array.from({ length: this.parts.partitions }, (_, partition) => {
      const position = found.get(partition) ?? 0;
      this.stored.set(partition, position);
      this.remembered.delete(partition);
      return position;
    });
  }

  async commit(batch: PartitionBatch): Promise<void> {
    if (batch.events.length === 0) return this.remember(batch);
    const { partition, through } = batch;
    const actual = await this.parts.checkpoints.read(partition);
    // A commit whose answer was lost is repeated: it is there.
    if (actual !== through) {
      if (actual !== (this.stored.get(partition) ?? batch.from)) this.moved(batch, actual);
      await this.parts.writer.apply(timelineChanges(batch.events));
      await this.parts.checkpoints.write(new Map([[partition, through]]));
    }
    this.stored.set(partition, through);
    this.remembered.delete(partition);
  }

  async repair(events: readonly ParleyEvent[]): Promise<void> {
    await this.parts.writer.apply(timelineChanges(events));
  }

  private async remember(batch: PartitionBatch): Promise<void> {
    const { partition, from, through } = batch;
    if (!this.stored.has(partition)) this.stored.set(partition, from);
    this.remembered.set(partition, through);
    if (this.clock() - this.flushed < FLUSH_MS) return;
    const actual = (await this.flushNow()).get(partition);
    if (actual !== undefined) this.moved(batch, actual);
  }

  private moved({ partition, from }: PartitionBatch, actual: number): never {
    this.stored.set(partition, actual);
    this.remembered.delete(partition);
    throw new CheckpointMoved(partition, from, actual);
  }

  async flush(): Promise<void> {
    await this.flushNow();
  }

  /** Partitions that somebody else has moved are left to their next commit. @returns where those stand. */
  private async flushNow(): Promise<ReadonlyMap<number, number>> {
    this.flushed = this.clock();
    const moved = new Map<number, number>();
    if (this.remembered.size === 0) return moved;
    const found = await this.parts.checkpoints.readAll();
    const positions = new Map<number, number>();
    for (const [partition, through] of this.remembered) {
      const actual = found.get(partition) ?? 0;
      if (actual === this.stored.get(partition)) positions.set(partition, through);
      else if (actual !== through) moved.set(partition, actual);
    }
    await this.parts.checkpoints.write(positions);
    for (const [partition, through] of positions)
      this.stored.set(partition, Math.max(through, this.stored.get(partition) ?? 0));
    return moved;
  }
}
