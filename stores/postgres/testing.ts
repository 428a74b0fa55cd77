/** For specs: databases as older versions left them, and the layout of a database. */

import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { createDatabase, type TestDatabase } from '../../services/testing.ts';

/** Runs statements and returns the rows of the last. */
export const inDatabase = async <Row extends object>(url: string, statements: string): Promise<readonly Row[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const answers = await client.query<Row>(statements);
    return (Array.isArray(answers) ? answers.at(-1) : answers).rows;
  } finally {
    await client.end();
  }
};

/** Log, vault and coordination of a cluster, written by a version from before migrations existed. */
export const formerDatabase = async (): Promise<TestDatabase> => {
  const database = await createDatabase();
  await inDatabase(database.url, readFileSync('test/fixtures/v1/cluster/postgres.sql', 'utf8'));
  return database;
};

/** Columns, indexes and constraints of the matching tables, and (as of `events`) functions, as the server describes them. */
export const layoutOf = async (url: string, tables: string): Promise<readonly string[]> => {
  const rows = await inDatabase<{ line: string }>(
    url,
    `SELECT line FROM (
       SELECT format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) AS line, table_name AS t
         FROM information_schema.columns WHERE table_schema = 'public'
       UNION ALL SELECT indexdef, tablename FROM pg_indexes WHERE schemaname = 'public'
       UNION ALL SELECT pg_get_constraintdef(oid), conrelid::regclass::text FROM pg_constraint WHERE connamespace = 'public'::regnamespace
       UNION ALL SELECT pg_get_functiondef(oid), 'events' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
     ) all_lines WHERE t ~ '${tables}' ORDER BY line`,
  );
  return rows.map(({ line }) => line);
};
