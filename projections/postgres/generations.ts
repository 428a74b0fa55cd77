/** Tables, one schema per generation: a rebuild builds the next beside the one that is read. */
import { Migrator, sql } from 'kysely';
import type { Postgres } from './connection.ts';
import { migrationsIn } from './migrations.ts';

export const schemaOf = (generation: number): string => {
  if (!Number.isSafeInteger(generation) || generation < 1) throw new TypeError(`No generation: ${generation}`);
  return `views_g${generation}`;
};

/**
 * Makes its tables, or brings them to what this Parley knows. Processes that start together do it one after another.
 * @throws where it was made by a newer Parley; StoreUnavailable
 */
export const prepareGeneration = (postgres: Postgres, generation: number): Promise<void> => {
  const schema = schemaOf(generation);
  return postgres.long(async (db) => {
    const migrator = new Migrator({
      db,
      provider: { getMigrations: async () => migrationsIn(schema) },
      migrationTableSchema: schema,
      migrationTableName: 'migrations',
      migrationLockTableName: 'migrations_lock',
    });
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
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
