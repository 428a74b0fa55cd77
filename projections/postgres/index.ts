/** Guild views, audience index and snapshots on PostgreSQL. */
import type { Fold } from '../../domain/fold.ts';
import type { LogReader } from '../../log/port.ts';
import type { AudienceReader } from '../audience/port.ts';
import { PostgresAudiences } from '../audience/postgres/store.ts';
import type { GuildReader } from '../guild-views/port.ts';
import { guildQuestions, PostgresGuildReader } from '../guild-views/postgres/reader.ts';
import { PostgresGuildWriter } from '../guild-views/postgres/writer.ts';
import type { PartitionStore } from '../runner/partition-store.ts';
import { Folding } from '../snapshots/folding.ts';
import type { SnapshotReader } from '../snapshots/port.ts';
import { PostgresSnapshots } from '../snapshots/postgres/store.ts';
import { Checkpoints } from './checkpoints.ts';
import type { Postgres } from './connection.ts';
import { schemaOf } from './generations.ts';
import { PostgresPartitionStore } from './store.ts';

export { checksums, type TableChecksum } from './checksums.ts';
export { openPostgres, Postgres, type PostgresOptions, postgresGuard } from './connection.ts';
export { dropGeneration, listGenerations, prepareGeneration } from './generations.ts';

export interface PostgresViewsOptions {
  readonly client: Postgres;
  readonly generation: number;
  /** Of the distribution log. */
  readonly partitions: number;
  /** How the states of a stream's kind are folded; `undefined` for streams without snapshots. */
  readonly foldOf: (stream: string) => Fold<unknown> | undefined;
  readonly log: LogReader;
  /** Milliseconds that never go back. */
  readonly clock?: () => number;
}

export interface PostgresViews {
  readonly guilds: GuildReader;
  /**
   * Guilds, channels and members as they were at a position: every event at or below it must have been applied.
   * Users and invites are as they are.
   */
  guildsAt(position: number): GuildReader;
  readonly audiences: AudienceReader;
  readonly snapshots: SnapshotReader;
  readonly store: PartitionStore;
}

/** One generation's views. Its tables must be there: `prepareGeneration`. */
export const openPostgresViews = (options: PostgresViewsOptions): PostgresViews => {
  const { client: postgres, generation, partitions, foldOf, log, clock } = options;
  const schema = schemaOf(generation);
  const questions = guildQuestions(postgres, schema);
  const audiences = new PostgresAudiences(postgres, schema);
  const snapshots = new PostgresSnapshots(postgres, schema);
  const store = new PostgresPartitionStore({
    postgres,
    guilds: new PostgresGuildWriter(schema),
    audiences,
    snapshots,
    folding: new Folding(foldOf, log, snapshots),
    checkpoints: new Checkpoints(postgres, schema),
    partitions,
    ...(clock && { clock }),
  });
  return {
    guilds: new PostgresGuildReader(questions),
    guildsAt: (position) => new PostgresGuildReader(questions, position),
    audiences,
    snapshots,
    store,
  };
};
