import type { ParleyEvent } from '../../schemas/events/index.ts';
import type { AudienceEntry } from '../audience/port.ts';
import type { PostgresAudiences } from '../audience/postgres/store.ts';
import { audienceEntries } from '../audience/project.ts';
import type { GuildChange } from '../guild-views/port.ts';
import type { PostgresGuildWriter } from '../guild-views/postgres/writer.ts';
import { guildChanges } from '../guild-views/project.ts';
import { CheckpointMoved, type PartitionBatch, type PartitionStore } from '../runner/partition-store.ts';
import type { Folding } from '../snapshots/folding.ts';
import type { StoredSnapshot } from '../snapshots/port.ts';
import type { PostgresSnapshots } from '../snapshots/postgres/store.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Ask, Postgres } from './connection.ts';
import { kindOf } from './failures.ts';

const FLUSH_MS = 1000;

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
  private readonly clock: () => number;
  /** What this store last read or wrote. */
  private readonly stored = new Map<number, number>();
  /** Beyond that, without anything to write in between. */
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
    const { folding } = this.parts;
    try {
      const written = await this.project(batch.events);
      // What people say leaves no rows here, so most batches cost nothing.
      const { changes, entries, snapshots } = written;
      if (changes.length + entries.length + snapshots.length === 0) await this.remember(batch);
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
    const since = this.stored.get(partition) ?? from;
    const stands = await postgres.transaction(async (ask) => {
      const elsewhere = await checkpoints.move(ask, partition, since, from, through);
      // Where the answer to a commit was lost, its repetition finds it there.
      if (elsewhere !== undefined) return elsewhere;
      await this.writeRows(ask, written);
      return through;
    });
    if (stands !== through) this.moved(batch, stands);
    this.stored.set(partition, through);
    this.remembered.delete(partition);
  }

  private async writeRows(ask: Ask, { changes, entries, snapshots }: Written): Promise<void> {
    const { audiences, snapshots: states, guilds } = this.parts;
    await audiences.write(ask, entries);
    await states.write(ask, snapshots);
    await guilds.write(ask, changes);
  }

  private async remember(batch: PartitionBatch): Promise<void> {
    const { partition, from, through } = batch;
    if (!this.stored.has(partition)) this.stored.set(partition, from);
    this.remembered.set(partition, through);
    if (this.clock() - this.flushed < FLUSH_MS) return;
    const stands = (await this.flushNow()).get(partition);
    if (stands !== undefined) this.moved(batch, stands);
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
    const elsewhere = new Map<number, number>();
    if (this.remembered.size === 0) return elsewhere;
    const known = [...this.remembered].map(([partition, through]) => ({
      partition,
      through,
      since: this.stored.get(partition) ?? 0,
    }));
    const { postgres, checkpoints } = this.parts;
    const positions = await postgres.transaction(async (ask) => {
      const held = await checkpoints.hold(
        ask,
        known.map(({ partition }) => partition),
      );
      const onward = new Map<number, number>();
      for (const { partition, since, through } of known) {
        const stands = held.get(partition) ?? 0;
        if (stands >= since && stands <= through) onward.set(partition, through);
        else elsewhere.set(partition, stands);
      }
      await checkpoints.moveOn(ask, onward);
      return onward;
    });
    for (const [partition, through] of positions) {
      this.stored.set(partition, Math.max(through, this.stored.get(partition) ?? 0));
      if (this.remembered.get(partition) === through) this.remembered.delete(partition);
    }
    return elsewhere;
  }
}
