import type { ParleyEvent } from '../../../schemas/events/index.ts';
import { PartitionPositions, type Remembered } from '../../runner/partition-positions.ts';
import type { PartitionBatch, PartitionStore } from '../../runner/partition-store.ts';
import type { TimelineWriter } from '../port.ts';
import { timelineChanges } from '../project.ts';
import type { Checkpoints } from './checkpoints.ts';
import { kindOf } from './failures.ts';

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
  private readonly positions: PartitionPositions;

  constructor(parts: StoreParts) {
    this.parts = parts;
    this.positions = new PartitionPositions((remembered) => this.moveOn(remembered), parts.clock);
  }

  async checkpoints(): Promise<readonly number[]> {
    return this.positions.found(await this.parts.checkpoints.readAll(), this.parts.partitions);
  }

  async commit(batch: PartitionBatch): Promise<void> {
    if (batch.events.length === 0) return this.positions.remember(batch);
    const { partition, through } = batch;
    const actual = await this.parts.checkpoints.read(partition);
    // A commit whose answer was lost is repeated: it is there.
    if (actual !== through) {
      if (actual !== this.positions.since(batch)) this.positions.moved(batch, actual);
      await this.parts.writer.apply(timelineChanges(batch.events));
      await this.parts.checkpoints.write(new Map([[partition, through]]));
    }
    this.positions.stands(partition, through);
  }

  async repair(events: readonly ParleyEvent[]): Promise<void> {
    await this.parts.writer.apply(timelineChanges(events));
  }

  async flush(): Promise<void> {
    await this.positions.flush();
  }

  private async moveOn(remembered: readonly Remembered[]): Promise<ReadonlyMap<number, number>> {
    const found = await this.parts.checkpoints.readAll();
    const elsewhere = new Map<number, number>();
    const onward = new Map<number, number>();
    for (const { partition, since, through } of remembered) {
      const actual = found.get(partition) ?? 0;
      if (actual === since) onward.set(partition, through);
      else if (actual !== through) elsewhere.set(partition, actual);
    }
    await this.parts.checkpoints.write(onward);
    return elsewhere;
  }
}
