import type { ParleyEvent } from '../../schemas/events/index.ts';
import type { AudienceEntry } from '../audience/port.ts';
import type { PostgresAudiences } from '../audience/postgres/store.ts';
import { audienceEntries } from '../audience/project.ts';
import type { GuildChange } from '../guild-views/port.ts';
import type { PostgresGuildWriter } from '../guild-views/postgres/writer.ts';
import { guildChanges } from '../guild-views/project.ts';
import { PartitionPositions, type Remembered } from '../runner/partition-positions.ts';
import type { PartitionBatch, PartitionStore } from '../runner/partition-store.ts';
import type { Folding } from '../snapshots/folding.ts';
import type { StoredSnapshot } from '../snapshots/port.ts';
import type { PostgresSnapshots } from '../snapshots/postgres/store.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Ask, Postgres } from './connection.ts';
import { kindOf } from './failures.ts';

interface StoreParts {
  readonly postgres: Postgres;
  readonly guilds: PostgresGuildWriter;
  readonly audiences: PostgresAudiences;
  readonly snapshots: PostgresSnapshots;
  readonly folding: Folding;
  readonly checkpoints: Checkpoints;
  readonly partitions: number;
  /** Milliseconds that never go back. */
  readonly clock?: () => number;
}

interface Written {
  readonly changes: readonly GuildChange[];
  readonly entries: readonly AudienceEntry[];
  readonly snapshots: readonly StoredSnapshot[];
}

/** Guild views, audience index and snapshots: a batch's rows and its checkpoint in one transaction. */
export class PostgresPartitionStore implements PartitionStore {
  readonly name = 'guild-views';
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
    const { folding } = this.parts;
    try {
      const written = await this.project(batch.events);
      // What people say leaves no rows here, so most batches cost nothing.
      const { changes, entries, snapshots } = written;
      if (changes.length + entries.length + snapshots.length === 0) await this.positions.remember(batch);
      else await this.write(batch, written);
    } catch (failure) {
      folding.forget();
      throw failure;
    }
  }

  async repair(events: readonly ParleyEvent[]): Promise<void> {
    const { postgres, folding } = this.parts;
    try {
      const written = await this.project(events);
      await postgres.transaction((ask) => this.writeRows(ask, written));
    } catch (failure) {
      folding.forget();
      throw failure;
    }
  }

  private async project(events: readonly ParleyEvent[]): Promise<Written> {
    const { folding } = this.parts;
    if (folding.mustLoad(events)) await folding.load(events);
    return { changes: guildChanges(events), entries: audienceEntries(events), snapshots: folding.fold(events) };
  }

  private async write(batch: PartitionBatch, written: Written): Promise<void> {
    const { partition, from, through } = batch;
    const { postgres, checkpoints } = this.parts;
    const since = this.positions.since(batch);
    const stands = await postgres.transaction(async (ask) => {
      const elsewhere = await checkpoints.move(ask, partition, since, from, through);
      // Where the answer to a commit was lost, its repetition finds it there.
      if (elsewhere !== undefined) return elsewhere;
      await this.writeRows(ask, written);
      return through;
    });
    if (stands !== through) this.positions.moved(batch, stands);
    this.positions.stands(partition, through);
  }

  private async writeRows(ask: Ask, { changes, entries, snapshots }: Written): Promise<void> {
    const { audiences, snapshots: states, guilds } = this.parts;
    await audiences.write(ask, entries);
    await states.write(ask, snapshots);
    await guilds.write(ask, changes);
  }

  async flush(): Promise<void> {
    await this.positions.flush();
  }

  private moveOn(remembered: readonly Remembered[]): Promise<ReadonlyMap<number, number>> {
    const { postgres, checkpoints } = this.parts;
    const partitions = remembered.map(({ partition }) => partition);
    return postgres.transaction(async (ask) => {
      const held = await checkpoints.hold(ask, partitions);
      const elsewhere = new Map<number, number>();
      const onward = new Map<number, number>();
      for (const { partition, since, through } of remembered) {
        const stands = held.get(partition) ?? 0;
        if (stands >= since && stands <= through) onward.set(partition, through);
        else elsewhere.set(partition, stands);
      }
      await checkpoints.moveOn(ask, onward);
      return elsewhere;
    });
  }
}
