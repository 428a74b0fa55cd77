/** Bans in every SQL store. */

import { type Kysely, type Migration, type RawBuilder, sql } from 'kysely';
import { builder as postgresBuilder } from '../../../stores/postgres/builder.ts';
import type { Ask, Postgres } from '../../../stores/postgres/connection.ts';
import { idKey as postgresId } from '../../../stores/postgres/values.ts';
import { builder, built, type Connection, idKey } from '../../../stores/sqlite/statements.ts';
import { statement } from '../../../stores/statement.ts';
import { lastingInPostgres, lastingInSqlite } from '../lasting-rows/sql.ts';
import type { BanChange, BanReader, BanRow, BansQuery } from './view.ts';

interface BanTables {
  readonly bans: {
    readonly guild_id: string;
    readonly user_id: string;
    /** Positions of the events; `unbanned_at` is null while the ban lasts. */
    readonly banned_at: number;
    readonly unbanned_at: number | null;
    /** Who sealed the reason, and the box; null without one. */
    readonly sealed_by: string | null;
    readonly box: string | null;
    readonly sealed_in: string;
  };
}

interface BanColumns {
  readonly userId: string;
  readonly by: string | null;
  readonly box: string | null;
  readonly sealedIn: string;
}

const rowOf = ({ userId, by, box, sealedIn }: BanColumns): BanRow => ({
  ...{ userId, reason: by === null || box === null ? null : { by, box }, sealedIn },
});

const banQueries = (db: Kysely<BanTables>) => {
  const current = (guildId: string) =>
    db
      .selectFrom('bans as b')
      .select((on) => [
        on.cast<string>('b.user_id', 'text').as('userId'),
        on.cast<string | null>('b.sealed_by', 'text').as('by'),
        ...(['b.box as box', 'b.sealed_in as sealedIn'] as const),
      ])
      .where('b.guild_id', '=', guildId)
      .where('b.unbanned_at', 'is', null);
  return {
    after: (guildId: string, after: string, limit: number) =>
      current(guildId).where('b.user_id', '>', after).orderBy('b.user_id').limit(limit),
    before: (guildId: string, before: string, limit: number) =>
      current(guildId).where('b.user_id', '<', before).orderBy('b.user_id', 'desc').limit(limit),
    one: (guildId: string, userId: string) => current(guildId).where('b.user_id', '=', userId),
  };
};

const added = (change: Extract<BanChange, { kind: 'banned' }>): BanTables['bans'] => ({
  guild_id: change.guildId,
  user_id: change.userId,
  banned_at: change.position,
  unbanned_at: null,
  sealed_by: change.reason?.by ?? null,
  box: change.reason?.box ?? null,
  sealed_in: change.sealedIn,
});

const ended = (change: Extract<BanChange, { kind: 'unbanned' }>) => ({
  guild_id: change.guildId,
  user_id: change.userId,
  unbanned_at: change.position,
});

const LASTING = { table: 'bans', keys: ['guild_id', 'user_id'], began: 'banned_at', ended: 'unbanned_at' } as const;

/** The rows by which two generations are compared. */
export const banRowsAt = (at: number): Readonly<Record<string, RawBuilder<unknown>>> => ({
  bans: sql`SELECT guild_id, user_id, banned_at, sealed_by, box, sealed_in,
    CASE WHEN unbanned_at <= ${at} THEN unbanned_at END FROM bans WHERE banned_at <= ${at}`,
});

export const banMigrations = (schema: string): Readonly<Record<string, Migration>> => ({
  '007-bans': {
    async up(db) {
      const within = (db as Kysely<BanTables>).withSchema(schema);
      await within.schema
        .createTable('bans')
        .addColumn('guild_id', 'bigint', (column) => column.notNull())
        .addColumn('user_id', 'bigint', (column) => column.notNull())
        .addColumn('banned_at', 'bigint', (column) => column.notNull())
        .addColumn('unbanned_at', 'bigint')
        .addColumn('sealed_by', 'bigint')
        .addColumn('box', 'text')
        .addColumn('sealed_in', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('bans_pkey', ['guild_id', 'user_id', 'banned_at'])
        .execute();
    },
  },
});

const FIRST_ID = '0';

export class PostgresBans implements BanReader {
  private readonly lasting: ReturnType<typeof lastingInPostgres<BanTables['bans']>>;
  private readonly page: (guildId: string, after: string, limit: number) => Promise<readonly BanColumns[]>;
  private readonly pageBefore: (guildId: string, before: string, limit: number) => Promise<readonly BanColumns[]>;
  private readonly one: (guildId: string, userId: string) => Promise<readonly BanColumns[]>;

  constructor(postgres: Postgres, schema: string) {
    this.lasting = lastingInPostgres<BanTables['bans']>(schema, LASTING);
    const queries = banQueries(postgresBuilder<BanTables>(schema));
    this.page = postgres.prepared(`${schema} bans`, statement(queries.after));
    this.pageBefore = postgres.prepared(`${schema} bans before`, statement(queries.before));
    this.one = postgres.prepared(`${schema} ban of`, statement(queries.one));
  }

  async bans(guildId: string, { limit, after = FIRST_ID, before }: BansQuery): Promise<readonly BanRow[]> {
    const rows =
      before === undefined
        ? await this.page(postgresId(guildId), postgresId(after), limit)
        : (await this.pageBefore(postgresId(guildId), postgresId(before), limit)).toReversed();
    return rows.map(rowOf);
  }

  async ban(guildId: string, userId: string): Promise<BanRow | undefined> {
    return (await this.one(postgresId(guildId), postgresId(userId))).map(rowOf)[0];
  }

  /** @param ask within the transaction that locks the partition of these changes */
  write(ask: Ask, changes: readonly BanChange[]): Promise<void> {
    return this.lasting(
      ask,
      changes.flatMap((change) => (change.kind === 'banned' ? [added(change)] : [])),
      changes.flatMap((change) => (change.kind === 'unbanned' ? [ended(change)] : [])),
    );
  }
}

export const banTables = `
CREATE TABLE bans (
  guild_id INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  banned_at INTEGER NOT NULL,
  unbanned_at INTEGER,
  sealed_by INTEGER,
  box TEXT,
  sealed_in TEXT NOT NULL,
  PRIMARY KEY (guild_id, user_id, banned_at)
) WITHOUT ROWID;
`;

const prepare = (db: Connection) => {
  const queries = banQueries(builder<BanTables>());
  return {
    lasting: lastingInSqlite<BanTables['bans']>(db, LASTING),
    after: built(db, queries.after),
    before: built(db, queries.before),
    one: built(db, queries.one),
  };
};

export class SqliteBans implements BanReader {
  private readonly run: ReturnType<typeof prepare>;

  constructor(db: Connection) {
    this.run = prepare(db);
  }

  apply(changes: readonly BanChange[]): void {
    for (const change of changes) {
      if (change.kind === 'banned') this.run.lasting.begin(added(change));
      else this.run.lasting.end(ended(change));
    }
  }

  async bans(guildId: string, { limit, after = FIRST_ID, before }: BansQuery): Promise<readonly BanRow[]> {
    const rows: readonly BanColumns[] =
      before === undefined
        ? this.run.after.all(idKey(guildId), idKey(after), limit)
        : this.run.before.all(idKey(guildId), idKey(before), limit).toReversed();
    return rows.map(rowOf);
  }

  async ban(guildId: string, userId: string): Promise<BanRow | undefined> {
    return this.run.one.all(idKey(guildId), idKey(userId)).map(rowOf)[0];
  }
}
