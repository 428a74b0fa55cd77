/** Tables, one schema per generation: a rebuild builds the next beside the one that is read. */
import { Migrator, sql } from 'kysely';
import type { Postgres } from './connection.ts';
import { migrationsIn } from './migrations.ts';

export const schemaOf = (generation: number): string => {
  if (!Number.isSafeInteger(generation) || generation < 1) throw new TypeError(`No generation: ${generation}`);
  return `views_g${generation}`;
};

/** What Kysely says when a step was carried out that is not among ours. */
const UNKNOWN = /^corrupted migrations/;

/**
 * Makes its tables, or brings them to what this Parley knows. Processes that start together do it one after another.
 * @throws where a newer Parley made it; StoreUnavailable
 */
export const prepareGeneration = async (postgres: Postgres, generation: number): Promise<void> => {
  const schema = schemaOf(generation);
  const unknown = await postgres.long(async (db) => {
    const migrator = new Migrator({
      db,
      provider: { getMigrations: async () => migrationsIn(schema) },
      migrationTableSchema: schema,
      migrationTableName: 'migrations',
      migrationLockTableName: 'migrations_lock',
    });
    const { error } = await migrator.migrateToLatest();
    if (error instanceof Error && UNKNOWN.test(error.message)) return error;
    if (error !== undefined) throw error;
    return undefined;
  });
  if (unknown === undefined) return;
  throw new Error(`Generation ${generation} of the guild views is a newer Parley's: ${unknown.message}`, {
    cause: unknown,
  });
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
