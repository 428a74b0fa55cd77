/**
 * Migrations: each step runs once and never changes once released. A first step accepts tables from before migrations
 * existed.
 */

import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import { BUDGETS } from '../budgets.ts';
import type { Postgres } from './connection.ts';
import type { LockNumbers } from './locks.ts';

export interface Migrations {
  /** Owner of the tables, for error messages: `The event log`. */
  readonly of: string;
  /** By name, in the order they run. */
  readonly steps: Readonly<Record<string, Migration>>;
  /** Table that stores the names of completed steps. */
  readonly table: string;
  /** Default: the connection's own. Created if missing. */
  readonly schema?: string;
  /** Held while migrating: two processes that create the migrator's own tables at once would fail each other. */
  readonly lock: LockNumbers;
}

/** Kysely's error when a completed step is not among ours. */
const UNKNOWN = /^corrupted migrations/;

/** A step of plain SQL: any number of statements. */
export const sqlStep = (statements: string): Migration => ({
  async up(db) {
    await sql.raw(statements).execute(db);
  },
});

const migrated = async (db: Kysely<unknown>, { steps, table, schema }: Migrations): Promise<Error | undefined> => {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => steps },
    ...(schema === undefined ? {} : { migrationTableSchema: schema }),
    migrationTableName: table,
    migrationLockTableName: `${table}_lock`,
    // The caller's transaction includes everything.
    disableTransactions: true,
  });
  const { error } = await migrator.migrateToLatest();
  if (error instanceof Error && UNKNOWN.test(error.message)) return error;
  if (error !== undefined) throw error;
  return undefined;
};

/**
 * Creates the tables, or migrates them to this version. Processes that start together do it one after another: the lock
 * belongs to the transaction, which the server ends when the process hangs.
 * @throws if a newer Parley created them; StoreUnavailable, also while another process holds the lock for long
 */
export const migrate = async (postgres: Postgres, migrations: Migrations): Promise<void> => {
  const { of, lock } = migrations;
  const newer = await postgres.long((db) =>
    db.connection().execute(async (connection) => {
      // The migrator cannot be handed a transaction of Kysely.
      await sql`BEGIN`.execute(connection);
      await sql`SELECT set_config('lock_timeout', ${String(BUDGETS.postgres.lockMs)}, true)`.execute(connection);
      await sql`SELECT pg_advisory_xact_lock(${sql.lit(lock[0])}, ${sql.lit(lock[1])})`.execute(connection);
      const result = await migrated(connection, migrations);
      await sql`COMMIT`.execute(connection);
      return result;
    }),
  );
  if (newer !== undefined) throw new Error(`${of} is a newer Parley's: ${newer.message}`, { cause: newer });
};
