/** Pins in every SQL store. */

import { type Kysely, type Migration, type RawBuilder, sql } from 'kysely';
import type { TimeSlices } from '../../../schemas/time-slices.ts';
import { builder as postgresBuilder } from '../../../stores/postgres/builder.ts';
import type { Ask, Postgres } from '../../../stores/postgres/connection.ts';
import { idKey as postgresId } from '../../../stores/postgres/values.ts';
import {
  builder,
  built,
  type Connection,
  IDS_PER_STEP,
  idKey,
  idKeys,
  query,
} from '../../../stores/sqlite/statements.ts';
import { statement } from '../../../stores/statement.ts';
import { lastingInPostgres, lastingInSqlite } from '../lasting-rows/sql.ts';
import type { PinChange, PinReader, PinRow } from './view.ts';

interface PinTables {
  readonly pins: {
    readonly channel_id: string;
    readonly message_id: string;
    /** Positions of the events; `unpinned_at` is null while the message is pinned. */
    readonly pinned_at: number;
    readonly unpinned_at: number | null;
    readonly pinned_time: number;
  };
}

const pinQueries = (db: Kysely<PinTables>) => ({
  pinned: (channelId: string, before: number, limit: number) =>
    db
      .selectFrom('pins as p')
      .select((on) => [on.cast<string>('p.message_id', 'text').as('messageId'), 'p.pinned_time as pinnedTime'])
      .where('p.channel_id', '=', channelId)
      .where('p.unpinned_at', 'is', null)
      .where('p.pinned_time', '<', before)
      .orderBy('p.pinned_time', 'desc')
      .limit(limit),
});

const added = (change: Extract<PinChange, { kind: 'pinned' }>): PinTables['pins'] => ({
  channel_id: change.channelId,
  message_id: change.messageId,
  pinned_at: change.position,
  unpinned_at: null,
  pinned_time: change.pinnedTime,
});

const ended = (change: Extract<PinChange, { kind: 'unpinned' }>) => ({
  channel_id: change.channelId,
  message_id: change.messageId,
  unpinned_at: change.position,
});

const LASTING = {
  table: 'pins',
  keys: ['channel_id', 'message_id'],
  began: 'pinned_at',
  ended: 'unpinned_at',
} as const;

/** The rows by which two generations are compared. */
export const pinRowsAt = (at: number): Readonly<Record<string, RawBuilder<unknown>>> => ({
  pins: sql`SELECT channel_id, message_id, pinned_at, pinned_time, CASE WHEN unpinned_at <= ${at} THEN unpinned_at END
    FROM pins WHERE pinned_at <= ${at}`,
});

export const pinMigrations = (schema: string): Readonly<Record<string, Migration>> => ({
  '002-pins': {
    async up(db) {
      const within = (db as Kysely<PinTables>).withSchema(schema);
      await within.schema
        .createTable('pins')
        .addColumn('channel_id', 'bigint', (column) => column.notNull())
        .addColumn('message_id', 'bigint', (column) => column.notNull())
        .addColumn('pinned_at', 'bigint', (column) => column.notNull())
        .addColumn('unpinned_at', 'bigint')
        .addColumn('pinned_time', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('pins_pkey', ['channel_id', 'message_id', 'pinned_at'])
        .execute();
      await within.schema
        .createIndex('pins_of_channel')
        .on('pins')
        .columns(['channel_id', 'pinned_time'])
        .where(sql.ref('unpinned_at'), 'is', null)
        .execute();
    },
  },
});

export class PostgresPins implements PinReader {
  private readonly postgres: Postgres;
  private readonly schema: string;
  private readonly lasting: ReturnType<typeof lastingInPostgres<PinTables['pins']>>;
  private readonly page: (channelId: string, before: number, limit: number) => Promise<readonly PinRow[]>;

  constructor(postgres: Postgres, schema: string) {
    this.postgres = postgres;
    this.schema = schema;
    this.lasting = lastingInPostgres<PinTables['pins']>(schema, LASTING);
    const { pinned } = pinQueries(postgresBuilder<PinTables>(schema));
    this.page = postgres.prepared(`${schema} pins`, statement(pinned));
  }

  async pinned(channelId: string, { before = Number.MAX_SAFE_INTEGER, limit }: { before?: number; limit: number }) {
    return this.page(postgresId(channelId), before, limit);
  }

  async pinnedAmong(channelId: string, messageIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.postgres.ask<{ readonly id: string }>({
      name: `${this.schema} pins among`,
      text: `SELECT message_id::text AS id FROM ${this.schema}.pins
        WHERE channel_id = $1 AND unpinned_at IS NULL AND message_id = ANY($2::bigint[])`,
      values: [postgresId(channelId), messageIds.map(postgresId)],
    });
    return new Set(rows.map(({ id }) => id));
  }

  async lastPinned(channelIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (channelIds.length === 0) return new Map();
    const rows = await this.postgres.ask<{ readonly id: string; readonly last: string }>({
      name: `${this.schema} last pinned`,
      text: `SELECT channel_id::text AS id, max(pinned_time)::text AS last FROM ${this.schema}.pins
        WHERE channel_id = ANY($1::bigint[]) AND unpinned_at IS NULL GROUP BY channel_id`,
      values: [channelIds.map(postgresId)],
    });
    return new Map(rows.map(({ id, last }) => [id, Number(last)]));
  }

  /** @param ask within the transaction that locks the partition of these changes */
  write(ask: Ask, changes: readonly PinChange[]): Promise<void> {
    return this.lasting(
      ask,
      changes.flatMap((change) => (change.kind === 'pinned' ? [added(change)] : [])),
      changes.flatMap((change) => (change.kind === 'unpinned' ? [ended(change)] : [])),
    );
  }
}

export const pinTables = `
CREATE TABLE pins (
  channel_id INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  pinned_at INTEGER NOT NULL,
  unpinned_at INTEGER,
  pinned_time INTEGER NOT NULL,
  PRIMARY KEY (channel_id, message_id, pinned_at)
) WITHOUT ROWID;
CREATE INDEX pins_of_channel ON pins (channel_id, pinned_time) WHERE unpinned_at IS NULL;
`;

const prepare = (db: Connection) => ({
  lasting: lastingInSqlite<PinTables['pins']>(db, LASTING),
  pinned: built(db, pinQueries(builder<PinTables>()).pinned),
  among: query<[string]>(
    db,
    `SELECT CAST(message_id AS TEXT) FROM pins
     WHERE channel_id = ? AND unpinned_at IS NULL AND message_id IN (SELECT value FROM json_each(?))`,
  ),
  last: query<[string, number]>(
    db,
    `SELECT CAST(channel_id AS TEXT), max(pinned_time) FROM pins
     WHERE channel_id IN (SELECT value FROM json_each(?)) AND unpinned_at IS NULL GROUP BY channel_id`,
  ),
});

export class SqlitePins implements PinReader {
  private readonly run: ReturnType<typeof prepare>;
  private readonly slices: TimeSlices;

  /** @param slices shared by all readers of the file */
  constructor(db: Connection, slices: TimeSlices) {
    this.run = prepare(db);
    this.slices = slices;
  }

  apply(changes: readonly PinChange[]): void {
    for (const change of changes) {
      if (change.kind === 'pinned') this.run.lasting.begin(added(change));
      else this.run.lasting.end(ended(change));
    }
  }

  async pinned(channelId: string, { before = Number.MAX_SAFE_INTEGER, limit }: { before?: number; limit: number }) {
    return this.run.pinned.all(idKey(channelId), before, limit);
  }

  async pinnedAmong(channelId: string, messageIds: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(this.run.among.all(idKey(channelId), idKeys(messageIds)).map(([id]) => id));
  }

  async lastPinned(channelIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return new Map(await this.slices.pieces(channelIds, IDS_PER_STEP, (some) => this.run.last.all(idKeys(some))));
  }
}
