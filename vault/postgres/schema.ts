/** Layout of the vault in PostgreSQL, and of what else must be told apart between nodes: worker ids, checkpoints. */
import type { Database } from './connection.ts';

/** Of Parley's advisory locks: the making of this schema. */
export const LOCKS = 0x50524c;
export const SCHEMA_LOCK = 3;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS vault_signing (one boolean PRIMARY KEY DEFAULT true CHECK (one), secret bytea NOT NULL);
CREATE TABLE IF NOT EXISTS vault_usernames (
  name text PRIMARY KEY, user_id text NOT NULL, confirmed boolean NOT NULL, reserved timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS vault_passwords (user_id text PRIMARY KEY, hash text NOT NULL);
CREATE TABLE IF NOT EXISTS vault_token_secrets (user_id text PRIMARY KEY, hash bytea NOT NULL);
CREATE TABLE IF NOT EXISTS vault_keys (user_id text PRIMARY KEY, key bytea NOT NULL);
CREATE TABLE IF NOT EXISTS vault_remembered (
  one boolean PRIMARY KEY DEFAULT true CHECK (one), epoch text NOT NULL, position bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS workers (id integer PRIMARY KEY, holder text NOT NULL, until timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS checkpoints (name text PRIMARY KEY, position bigint NOT NULL);
`;

/** Nodes that start together make it one after another. */
export const prepare = (database: Database): Promise<void> =>
  database.transaction(async (query) => {
    await query('SELECT pg_advisory_xact_lock($1, $2)', [LOCKS, SCHEMA_LOCK]);
    for (const statement of SCHEMA.split(';')) if (statement.trim() !== '') await query(statement);
  });
