/** Guild views, audience index and snapshots on PostgreSQL. */

import { type RawBuilder, sql } from 'kysely';
import type { Fold } from '../../../domain/decider.ts';
import type { LogReader } from '../../../log/port.ts';
import type { Postgres } from '../../../stores/postgres/connection.ts';
import { migrate } from '../../../stores/postgres/migrations.ts';
import type { PartitionStore } from '../../engine/port.ts';
import { PostgresAudiences } from '../../views/audience/sql.ts';
import type { AudienceReader } from '../../views/audience/view.ts';
import { guildQuestions, PostgresGuildReader, PostgresGuildWriter } from '../../views/guild-views/postgres.ts';
import type { GuildReader } from '../../views/guild-views/view.ts';
import { PostgresSnapshots } from '../../views/snapshots/sql.ts';
import { Folding, type SnapshotReader } from '../../views/snapshots/view.ts';
import { migrationsIn } from './migrations.ts';
import { Checkpoints, PostgresPartitionStore } from './store.ts';

/** Tables, one schema per generation: a rebuild builds the next beside the one that is read. */
export const schemaOf = (generation: number): string => {
  if (!Number.isSafeInteger(generation) || generation < 1) throw new TypeError(`No generation: ${generation}`);
  return `views_g${generation}`;
};

/**
 * Makes its tables, or brings them to what this Parley knows. Processes that start together do it one after another.
 * @throws where a newer Parley made it; StoreUnavailable
 */
export const prepareGeneration = (postgres: Postgres, generation: number): Promise<void> => {
  const schema = schemaOf(generation);
  const of = `Generation ${generation} of the guild views`;
  return migrate(postgres, { of, steps: migrationsIn(schema), table: 'migrations', schema });
};

export const dropGeneration = (postgres: Postgres, generation: number): Promise<void> =>
  postgres.long(async (db) => {
    await db.schema.dropSchema(schemaOf(generation)).ifExists().cascade().execute();
  });

/** Generations whose schema is there, complete or not, oldest first. */
export const listGenerations = (postgres: Postgres): Promise<readonly number[]> =>
  postgres.long(async (db) => {
    const { rows } = await sql<{ name: string }>`SELECT nspname AS name FROM pg_namespace`.execute(db);
    const found = rows.flatMap(({ name }) => /^views_g(\d+)$/.exec(name)?.[1] ?? []);
    return found.map(Number).sort((a, b) => a - b);
  });

/** What a generation held at a position, as numbers that can be compared with another generation's. */
export interface TableChecksum {
  readonly table: string;
  readonly count: number;
  /** Sixteen hexadecimal digits, whatever the order of the rows. */
  readonly checksum: string;
}

/**
 * Rows as they were at the position, whatever came since: both generations may go on meanwhile. Snapshots are left out,
 * which are taken when it suits, and how many joined by an invite, of which only the present is known.
 */
const rowsAt = (at: number): Readonly<Record<string, RawBuilder<unknown>>> => ({
  guilds: sql`SELECT * FROM guilds WHERE created_at <= ${at}`,
  guild_counts: sql`SELECT guild_id, members - coalesce(begun, 0) + coalesce(ended, 0)
    FROM guild_counts LEFT JOIN (
      SELECT guild_id, count(*) FILTER (WHERE joined_at > ${at} AND left_at IS NULL) AS begun,
        count(*) FILTER (WHERE joined_at <= ${at}) AS ended
      FROM memberships WHERE (joined_at > ${at} AND left_at IS NULL) OR left_at > ${at} GROUP BY guild_id
    ) since USING (guild_id)
    WHERE members - coalesce(begun, 0) + coalesce(ended, 0) <> 0`,
  channels: sql`SELECT * FROM channels WHERE created_at <= ${at}`,
  direct_channels: sql`SELECT d.* FROM direct_channels d JOIN channels c ON c.id = d.channel_id WHERE c.created_at <= ${at}`,
  memberships: sql`SELECT guild_id, user_id, joined_at, joined_time, CASE WHEN left_at <= ${at} THEN left_at END
    FROM memberships WHERE joined_at <= ${at}`,
  users: sql`SELECT * FROM users WHERE registered_at <= ${at}`,
  invites: sql`SELECT * FROM invites WHERE created_at <= ${at}`,
  redemptions: sql`SELECT * FROM redemptions WHERE position <= ${at}`,
  audiences: sql`SELECT * FROM audiences WHERE position <= ${at}`,
});

/**
 * Table by table, each gone through by the server itself. Two generations agree when all of theirs are equal.
 * @param at position that every partition of the generation has reached: the lowest checkpoint of both
 */
export async function* checksums(postgres: Postgres, generation: number, at: number): AsyncGenerator<TableChecksum> {
  const schema = schemaOf(generation);
  for (const [table, rows] of Object.entries(rowsAt(at)))
    yield await postgres.long((db) =>
      db.transaction().execute(async (all) => {
        await sql`SET LOCAL search_path TO ${sql.id(schema)}`.execute(all);
        const summed = await sql<{ count: number; sum: string }>`
          SELECT count(*) AS count, coalesce(sum(hashtextextended(r::text, 0)), 0)::text AS sum FROM (${rows}) r`.execute(
          all,
        );
        const { count, sum } = summed.rows[0]!;
        return { table, count, checksum: BigInt.asUintN(64, BigInt(sum)).toString(16).padStart(16, '0') };
      }),
    );
}

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
