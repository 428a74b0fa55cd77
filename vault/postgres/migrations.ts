/** Layout of the vault in PostgreSQL. A step never changes once released. */

import { sql } from 'kysely';
import { LOCKS } from '../../stores/postgres/locks.ts';
import { type Migrations, sqlStep } from '../../stores/postgres/migrations.ts';
import { renamings } from '../passwords.ts';
import { ACCOUNT_TABLES } from './accounts.ts';

export const VAULT_MIGRATIONS: Migrations = {
  of: 'The vault',
  table: 'vault_migrations',
  lock: LOCKS.vault,
  steps: {
    /** Accepts tables from before migrations existed. */
    '001-tables': sqlStep(`
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
`),
    /** Names get the key that has no invisible characters. */
    '002-username-keys': {
      async up(db) {
        const names = await sql<{ name: string }>`SELECT name FROM vault_usernames ORDER BY name`.execute(db);
        for (const [from, to] of renamings(names.rows.map(({ name }) => name)))
          await sql`UPDATE vault_usernames SET name = ${to} WHERE name = ${from}`.execute(db);
      },
    },
    '003-accounts': sqlStep(ACCOUNT_TABLES),
  },
};
