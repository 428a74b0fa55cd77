import type { ParleyEvent } from '../../../../schemas/events/catalogue.ts';
import { Batcher, oneAnswer } from '../../../../stores/batcher.ts';
import { BUDGETS } from '../../../../stores/budgets.ts';
import type { Cassandra } from '../../../../stores/cassandra/connection.ts';
import { classify } from '../../../../stores/cassandra/failures.ts';
import { PartitionPositions, type Remembered } from '../../../engine/partitions.ts';
import type { PartitionBatch, PartitionStore } from '../../../engine/port.ts';
import { type TimelineReader, type TimelineWriter, timelineChanges } from '../view.ts';
import { CassandraTimelineReader } from './reader.ts';
import { BUCKET_SIZE, type Tables, tablesOf } from './tables.ts';
import { CassandraTimelineWriter } from './writer.ts';

const POSITION_BYTES = 64;
/** Every reader gets its answer from the same rows, however many readers there are. */
const READERS_AT_ONCE = { count: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

/**
 * Checkpoints of the distribution log's partitions, all in one partition, so that they are read and written together.
 */
export class PartitionCheckpoints {
  private readonly cassandra: Cassandra;
  private readonly projection: string;
  private readonly all: string;
  private readonly put: string;
  private readonly reads = new Batcher<void, ReadonlyMap<number, number>>({
    gather: 'previous',
    most: READERS_AT_ONCE,
    bytesOf: () => 0,
    commit: oneAnswer(() => this.readAll()),
  });
  private readonly writes = new Batcher<ReadonlyMap<number, number>, void>({
    gather: 'previous',
    most: BUDGETS.cassandra.batch,
    countOf: ({ size }) => size,
    bytesOf: ({ size }) => size * POSITION_BYTES,
    commit: oneAnswer((some) => this.writeAll(some)),
    classify,
  });

  constructor(cassandra: Cassandra, { checkpoints }: Tables, projection: string) {
    this.cassandra = cassandra;
    this.projection = projection;
    this.all = `SELECT partition, position FROM ${checkpoints} WHERE projection = ?`;
    this.put = `UPDATE ${checkpoints} USING TIMESTAMP ? SET position = ? WHERE projection = ? AND partition = ?`;
  }

  async readAll(): Promise<ReadonlyMap<number, number>> {
    const rows = await this.cassandra.execute<{ partition: number; position: bigint }>(this.all, [this.projection]);
    return new Map(rows.map((row) => [row.partition, Number(row.position)]));
  }

  async read(partition: number): Promise<number> {
    return (await this.reads.add()).get(partition) ?? 0;
  }

  /** The position is also the timestamp, so a checkpoint never moves back. */
  async write(positions: ReadonlyMap<number, number>): Promise<void> {
    if (positions.size > 0) await this.writes.add(positions);
  }

  private async writeAll(some: readonly ReadonlyMap<number, number>[]): Promise<void> {
    const furthest = new Map<number, number>();
    for (const [partition, position] of some.flatMap((positions) => [...positions]))
      furthest.set(partition, Math.max(position, furthest.get(partition) ?? 0));
    await this.cassandra.batch(
      [...furthest].map(([partition, position]) => ({
        query: this.put,
        params: [BigInt(position), BigInt(position), this.projection, partition],
      })),
    );
  }
}

interface StoreParts {
  readonly writer: TimelineWriter;
  readonly checkpoints: PartitionCheckpoints;
  readonly partitions: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

export class CassandraPartitionStore implements PartitionStore {
  readonly name = 'timelines';
  readonly classify = classify;
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
    // A commit whose answer was lost is repeated although it is stored.
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

// Message timelines on Cassandra and ScyllaDB.

/**
 * One generation's timelines. `createGeneration` must have created its tables.
 * @param partitions of the distribution log
 */
export const openCassandraTimelines = ({
  client,
  generation,
  partitions,
  clock,
}: {
  readonly client: Cassandra;
  readonly generation: number;
  readonly partitions: number;
  /** Milliseconds that never go back. */
  readonly clock: () => number;
}): { readonly reader: TimelineReader; readonly store: PartitionStore } => {
  const tables = tablesOf(generation);
  return {
    reader: new CassandraTimelineReader(client, tables),
    store: new CassandraPartitionStore({
      writer: new CassandraTimelineWriter(client, tables, BUCKET_SIZE),
      checkpoints: new PartitionCheckpoints(client, tables, 'timelines'),
      partitions,
      clock,
    }),
  };
};
