/** Layout of what nodes agree upon, in the vault's database. */

import type { Postgres } from '../../stores/postgres/connection.ts';
import { LOCKS, VAULT_LOCK } from '../../stores/postgres/locks.ts';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS workers (id integer PRIMARY KEY, holder text NOT NULL, until timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS checkpoints (name text PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE IF NOT EXISTS leaderships (
  name text PRIMARY KEY, term bigint NOT NULL, holder text NOT NULL, until timestamptz NOT NULL
);
`;

/** Nodes that start together make it one after another, and none while somebody has the vault alone. */
export const prepare = (database: Postgres): Promise<void> =>
  database.transaction(async (ask) => {
    await ask({ text: 'SELECT pg_advisory_xact_lock($1, $2)', values: [LOCKS, VAULT_LOCK] });
    await ask({ text: SCHEMA });
  });
