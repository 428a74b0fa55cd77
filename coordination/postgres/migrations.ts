/** Layout of coordination's tables, in the vault's database. A step never changes once released. */

import { LOCKS } from '../../stores/postgres/locks.ts';
import { type Migrations, sqlStep } from '../../stores/postgres/migrations.ts';

export const COORDINATION_MIGRATIONS: Migrations = {
  of: 'What nodes agree upon',
  table: 'coordination_migrations',
  // So no process starts while another has the vault alone.
  lock: LOCKS.vault,
  steps: {
    /** Accepts tables from before migrations existed. */
    '001-tables': sqlStep(`
CREATE TABLE IF NOT EXISTS workers (id integer PRIMARY KEY, holder text NOT NULL, until timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS checkpoints (name text PRIMARY KEY, position bigint NOT NULL);
`),
    '002-leaderships': sqlStep(`
CREATE TABLE leaderships (name text PRIMARY KEY, term bigint NOT NULL, holder text NOT NULL, until timestamptz NOT NULL);
`),
  },
};
