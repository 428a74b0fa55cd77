/**
 * Creates the tables of a generation step by step. Each step runs once and never changes afterwards. A step may extend
 * tables that are in use; a change to what rows mean takes a new generation.
 */

import { type Kysely, type Migration, sql } from 'kysely';
import type { AudienceTables } from '../../views/audience-index/sql.ts';
import type { GuildTables } from '../../views/guild-views/tables.ts';
import type { SnapshotTables } from '../../views/snapshots/sql.ts';
import { sqlViewNames, sqlViews } from '../../views/sql-views.ts';

/** Everything in a generation's schema. */
export interface ViewTables extends GuildTables, AudienceTables, SnapshotTables {
  /** The checkpoint of each partition of the distribution log. A partition without a row has not begun. */
  readonly checkpoints: { readonly partition: number; readonly position: number };
}

const guilds = async (db: Kysely<ViewTables>): Promise<void> => {
  await db.schema
    .createTable('guilds')
    .addColumn('id', 'bigint', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('owner_id', 'bigint', (column) => column.notNull())
    .addColumn('everyone', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('guild_counts')
    .addColumn('guild_id', 'bigint', (column) => column.primaryKey())
    .addColumn('members', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('channels')
    .addColumn('id', 'bigint', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('guild_id', 'bigint')
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('topic', 'text', (column) => column.notNull())
    .addColumn('overwrites', 'text', (column) => column.notNull())
    .addColumn('participants', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('channels_of_guild').on('channels').columns(['guild_id', 'created_at']).execute();
  await db.schema
    .createTable('direct_channels')
    .addColumn('user_id', 'bigint', (column) => column.notNull())
    .addColumn('channel_id', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('direct_channels_pkey', ['user_id', 'channel_id'])
    .execute();
};

const people = async (db: Kysely<ViewTables>): Promise<void> => {
  await db.schema
    .createTable('memberships')
    .addColumn('guild_id', 'bigint', (column) => column.notNull())
    .addColumn('user_id', 'bigint', (column) => column.notNull())
    .addColumn('joined_at', 'bigint', (column) => column.notNull())
    .addColumn('joined_time', 'bigint', (column) => column.notNull())
    .addColumn('left_at', 'bigint')
    .addPrimaryKeyConstraint('memberships_pkey', ['guild_id', 'user_id', 'joined_at'])
    .execute();
  await db.schema
    .createIndex('members')
    .unique()
    .on('memberships')
    .columns(['guild_id', 'user_id'])
    .where(sql.ref('left_at'), 'is', null)
    .execute();
  await db.schema.createIndex('memberships_of_user').on('memberships').columns(['user_id', 'joined_at']).execute();
  // For members who joined or left after a position.
  await db.schema.createIndex('memberships_begun').on('memberships').columns(['guild_id', 'joined_at']).execute();
  await db.schema
    .createIndex('memberships_ended')
    .on('memberships')
    .columns(['guild_id', 'left_at'])
    .where(sql.ref('left_at'), 'is not', null)
    .execute();
  await db.schema
    .createTable('users')
    .addColumn('id', 'bigint', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('owner_id', 'bigint')
    .addColumn('sealed_by', 'bigint', (column) => column.notNull())
    .addColumn('box', 'text', (column) => column.notNull())
    .addColumn('sealed_in', 'text', (column) => column.notNull())
    .addColumn('registered_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('persons')
    .on('users')
    .column('registered_at')
    .where(sql.ref('kind'), '=', 'person')
    .execute();
};

const invites = async (db: Kysely<ViewTables>): Promise<void> => {
  await db.schema
    .createTable('invites')
    .addColumn('code', 'text', (column) => column.primaryKey())
    .addColumn('guild_id', 'bigint', (column) => column.notNull())
    .addColumn('channel_id', 'bigint', (column) => column.notNull())
    .addColumn('inviter_id', 'bigint', (column) => column.notNull())
    .addColumn('max_uses', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('created_time', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .execute();
  await db.schema
    .createTable('redemptions')
    .addColumn('code', 'text', (column) => column.notNull())
    .addColumn('position', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('redemptions_pkey', ['code', 'position'])
    .execute();
  await db.schema
    .createTable('invite_counts')
    .addColumn('code', 'text', (column) => column.primaryKey())
    .addColumn('joined', 'bigint', (column) => column.notNull())
    .execute();
};

const others = async (db: Kysely<ViewTables>): Promise<void> => {
  await db.schema
    .createTable('audiences')
    .addColumn('audience', 'text', (column) => column.notNull())
    .addColumn('position', 'bigint', (column) => column.notNull())
    .addColumn('stream', 'text', (column) => column.notNull())
    .addColumn('sequence', 'bigint', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('audiences_pkey', ['audience', 'position'])
    .execute();
  await db.schema
    .createTable('snapshots')
    .addColumn('stream', 'text', (column) => column.primaryKey())
    .addColumn('sequence', 'bigint', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('checkpoints')
    .addColumn('partition', 'integer', (column) => column.primaryKey())
    .addColumn('position', 'bigint', (column) => column.notNull())
    .execute();
};

/** Steps by name, in the order in which they run. */
export const migrationsIn = (schema: string): Record<string, Migration> => ({
  '001-tables': {
    async up(db) {
      const within = (db as Kysely<ViewTables>).withSchema(schema);
      for (const make of [guilds, people, invites, others]) await make(within);
    },
  },
  ...Object.assign({}, ...sqlViewNames.map((name) => sqlViews[name].migrations(schema))),
});
