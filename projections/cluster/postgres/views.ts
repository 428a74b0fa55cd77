/** The views on PostgreSQL: one schema per generation. */

import { type RawBuilder, sql } from 'kysely';
import type { Postgres } from '../../../stores/postgres/connection.ts';
import { LOCKS } from '../../../stores/postgres/locks.ts';
import { migrate } from '../../../stores/postgres/migrations.ts';
import type { PartitionStore } from '../../engine/port.ts';
import { guildQuestions, PostgresGuildReader } from '../../views/guild-views/postgres/reader.ts';
import type { GuildReader } from '../../views/guild-views/view.ts';
import {
  type OnPostgres,
  type SqlReaders,
  type SqlViewName,
  sqlReaders,
  sqlViewNames,
  sqlViews,
  type ViewSources,
} from '../../views/sql-views.ts';
import { migrationsIn } from './migrations.ts';
import { PartitionCheckpoints, PostgresPartitionStore } from './store.ts';

/** One schema per generation. A rebuild fills the next one beside the one in use. */
export const schemaOf = (generation: number): string => {
  if (!Number.isSafeInteger(generation) || generation < 1) throw new TypeError(`No generation: ${generation}`);
  return `views_g${generation}`;
};

/**
 * Creates the generation's tables, or migrates them to this version. Processes that start together take turns.
 * @throws if a newer Parley created the tables; StoreUnavailable
 */
export const prepareGeneration = (postgres: Postgres, generation: number): Promise<void> => {
  const schema = schemaOf(generation);
  const of = `Generation ${generation} of the guild views`;
  return migrate(postgres, { of, steps: migrationsIn(schema), table: 'migrations', schema, lock: LOCKS.viewsTables });
};

export const dropGeneration = (postgres: Postgres, generation: number): Promise<void> =>
  postgres.long(async (db) => {
    await db.schema.dropSchema(schemaOf(generation)).ifExists().cascade().execute();
  });

/** Generations that have a schema, complete or not, oldest first. */
export const listGenerations = (postgres: Postgres): Promise<readonly number[]> =>
  postgres.long(async (db) => {
    const { rows } = await sql<{ name: string }>`SELECT nspname AS name FROM pg_namespace`.execute(db);
    const found = rows.flatMap(({ name }) => /^views_g(\d+)$/.exec(name)?.[1] ?? []);
    return found.map(Number).sort((a, b) => a - b);
  });

/** What a generation holds at a position, as numbers to compare with another generation's. */
export interface TableChecksum {
  readonly table: string;
  readonly count: number;
  /** Sixteen hexadecimal digits, independent of row order. */
  readonly checksum: string;
}

const rowsAt = (at: number): Readonly<Record<string, RawBuilder<unknown>>> =>
  Object.assign({}, ...sqlViewNames.map((name) => sqlViews[name].rowsAt(at)));

/**
 * Checksums per table, computed by the server. Two generations agree if all their checksums are equal.
 * @param at position that every partition of both generations has reached: the lowest checkpoint of the two
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

export interface PostgresViewsOptions extends ViewSources {
  readonly client: Postgres;
  readonly generation: number;
  /** Number of partitions of the distribution log. */
  readonly partitions: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

export interface PostgresViews extends SqlReaders {
  /**
   * Reads guilds, channels and members as they were at a position, once every event up to it is applied. Users and
   * invites are always current.
   */
  guildsAt(position: number): GuildReader;
  readonly store: PartitionStore;
}

/** One generation's views. `prepareGeneration` must have created its tables. */
export const openPostgresViews = (options: PostgresViewsOptions): PostgresViews => {
  const { client: postgres, generation, partitions, clock } = options;
  const schema = schemaOf(generation);
  const views = sqlViewNames.map((name) => [name, sqlViews[name].postgres(postgres, schema, options)] as const);
  const byName = new Map<SqlViewName, OnPostgres<unknown>>(views);
  const questions = guildQuestions(postgres, schema);
  return {
    ...sqlReaders((name) => byName.get(name)!.reader),
    guildsAt: (position) => new PostgresGuildReader(questions, position),
    store: new PostgresPartitionStore({
      postgres,
      views: [...byName.values()],
      checkpoints: new PartitionCheckpoints(postgres, schema),
      partitions,
      clock,
    }),
  };
};
