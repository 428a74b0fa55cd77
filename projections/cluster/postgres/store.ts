import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import type { Ask, Postgres } from '../../../stores/postgres/connection.ts';
import { classify } from '../../../stores/postgres/failures.ts';
import { rowsOf } from '../../../stores/postgres/values.ts';
import { PartitionPositions, type Remembered } from '../../engine/partitions.ts';
import { CheckpointMoved, type PartitionBatch, type PartitionStore } from '../../engine/port.ts';
import type { OnPostgres, WithCheckpoint, Write } from '../../views/sql-views.ts';

/** The checkpoints of all partitions of the distribution log. Each moves in the transaction that stores its rows. */
export class PartitionCheckpoints {
  private readonly postgres: Postgres;
  private readonly schema: string;
  private readonly all: string;
  private readonly one: string;
  private readonly onward: string;
  private readonly held: string;
  private readonly forward: string;

  constructor(postgres: Postgres, schema: string) {
    this.postgres = postgres;
    this.schema = schema;
    const table = `${schema}.checkpoints`;
    this.all = `SELECT partition, position FROM ${table}`;
    this.one = `SELECT position FROM ${table} WHERE partition = $1`;
    this.onward = `INSERT INTO ${table} AS c
      SELECT $1::integer, $4::bigint
      WHERE $2::bigint = 0 OR EXISTS (SELECT FROM ${table} WHERE partition = $1)
      ON CONFLICT (partition) DO UPDATE SET position = excluded.position WHERE c.position BETWEEN $2 AND $3
      RETURNING position`;
    this.held = `${this.all} WHERE partition = ANY($1::integer[]) ORDER BY partition FOR UPDATE`;
    this.forward = `INSERT INTO ${table} AS c SELECT * FROM ${rowsOf(table)} ORDER BY partition
      ON CONFLICT (partition) DO UPDATE SET position = excluded.position WHERE c.position < excluded.position`;
  }

  async readAll(): Promise<ReadonlyMap<number, number>> {
    const rows = await this.postgres.ask<{ partition: number; position: number }>({ text: this.all });
    return new Map(rows.map(({ partition, position }) => [partition, position]));
  }

  /**
   * Moves the checkpoint if it is at `from`, or anywhere from `since` on, because nothing happens in between. The row
   * stays locked until the transaction ends, so of two writers one waits and is then refused.
   * @returns the actual checkpoint if it was not moved, otherwise `undefined`
   */
  async move(ask: Ask, partition: number, since: number, from: number, to: number): Promise<number | undefined> {
    const values = [partition, since, from, to];
    const moved = await ask({ name: `${this.schema} checkpoint`, text: this.onward, values });
    if (moved.length > 0) return undefined;
    const [row] = await ask<{ position: number }>({ text: this.one, values: [partition] });
    return row?.position ?? 0;
  }

  /** Locks these rows in partition order. @returns their checkpoints */
  async hold(ask: Ask, partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const rows = await ask<{ partition: number; position: number }>({ text: this.held, values: [partitions] });
    return new Map(rows.map(({ partition, position }) => [partition, position]));
  }

  /** Moves these checkpoints forward. One that another process has moved further stays. */
  async moveOn(ask: Ask, positions: ReadonlyMap<number, number>): Promise<void> {
    const rows = [...positions].map(([partition, position]) => ({ partition, position }));
    if (rows.length > 0) await ask({ text: this.forward, values: [JSON.stringify(rows)] });
  }
}

interface StoreParts {
  readonly postgres: Postgres;
  /** In writing order. */
  readonly views: readonly OnPostgres<unknown>[];
  readonly checkpoints: PartitionCheckpoints;
  readonly partitions: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/** All views of a generation. A batch's rows and its checkpoint are stored in one transaction. */
export class PostgresPartitionStore implements PartitionStore {
  readonly name = 'guild-views';
  readonly classify = classify;
  private readonly parts: StoreParts;
  private readonly positions: PartitionPositions;
  private readonly withCheckpoint: readonly WithCheckpoint[];

  constructor(parts: StoreParts) {
    this.parts = parts;
    this.withCheckpoint = parts.views.flatMap((view) => view.withCheckpoint ?? []);
    this.positions = new PartitionPositions((remembered) => this.moveOn(remembered), parts.clock);
  }

  async checkpoints(): Promise<readonly number[]> {
    return this.positions.found(await this.parts.checkpoints.readAll(), this.parts.partitions);
  }

  async commit(batch: PartitionBatch): Promise<void> {
    const { partition } = batch;
    await this.orUndone(async () => {
      const atOnce = this.parts.views.filter((view) => view.withCheckpoint === undefined);
      const writes = await this.project(atOnce, batch.events);
      for (const view of this.withCheckpoint) view.keep(partition, batch.events);
      // Chat messages leave no rows here but the heads of their channels, so most batches cost nothing.
      if (writes.length === 0) await this.positions.remember(batch);
      else await this.write(batch, writes);
    }).catch((failure: unknown) => {
      if (failure instanceof CheckpointMoved) for (const view of this.withCheckpoint) view.forget(partition);
      throw failure;
    });
  }

  async repair(events: readonly ParleyEvent[]): Promise<void> {
    await this.orUndone(async () => {
      const writes = await this.project(this.parts.views, events);
      await this.parts.postgres.transaction((ask) => this.writeRows(ask, writes));
    });
  }

  private async orUndone(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (failure) {
      for (const view of this.parts.views) view.undone?.();
      throw failure;
    }
  }

  private async project(
    views: readonly OnPostgres<unknown>[],
    events: readonly ParleyEvent[],
  ): Promise<readonly Write[]> {
    for (const view of views) await view.prepare?.(events);
    return views.flatMap((view) => view.written(events) ?? []);
  }

  private async write(batch: PartitionBatch, writes: readonly Write[]): Promise<void> {
    const { partition, from, through } = batch;
    const { postgres, checkpoints } = this.parts;
    const since = this.positions.since(batch);
    let written = () => {};
    const stands = await postgres.transaction(async (ask) => {
      const elsewhere = await checkpoints.move(ask, partition, since, from, through);
      // If the answer to a commit was lost, the retry finds the checkpoint already at `through`.
      if (elsewhere !== undefined) return elsewhere;
      written = await this.writeKept(ask, [partition]);
      await this.writeRows(ask, writes);
      return through;
    });
    written();
    if (stands !== through) this.positions.moved(batch, stands);
    this.positions.stands(partition, through);
  }

  private async writeRows(ask: Ask, writes: readonly Write[]): Promise<void> {
    for (const write of writes) await write(ask);
  }

  /** @returns to be called once the transaction is committed */
  private async writeKept(ask: Ask, partitions: readonly number[]): Promise<() => void> {
    const written: (() => void)[] = [];
    for (const view of this.withCheckpoint) written.push(await view.writeKept(ask, partitions));
    return () => {
      for (const one of written) one();
    };
  }

  async flush(): Promise<void> {
    await this.positions.flush();
  }

  private async moveOn(remembered: readonly Remembered[]): Promise<ReadonlyMap<number, number>> {
    const { postgres, checkpoints } = this.parts;
    const partitions = remembered.map(({ partition }) => partition);
    let written = () => {};
    const others = await postgres.transaction(async (ask) => {
      const held = await checkpoints.hold(ask, partitions);
      const elsewhere = new Map<number, number>();
      const onward = new Map<number, number>();
      for (const { partition, since, through } of remembered) {
        const stands = held.get(partition) ?? 0;
        if (stands >= since && stands <= through) onward.set(partition, through);
        else elsewhere.set(partition, stands);
      }
      await checkpoints.moveOn(ask, onward);
      written = await this.writeKept(ask, [...onward.keys()]);
      return elsewhere;
    });
    written();
    return others;
  }
}
