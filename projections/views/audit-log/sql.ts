/** The audit logs in every SQL store. */

import { type Kysely, type Migration, type RawBuilder, sql } from 'kysely';
import { AuditAction, type AuditSubject } from '../../../domain/audit-log.ts';
import type { Ask, Postgres } from '../../../stores/postgres/connection.ts';
import { boundOf, idKey as postgresId, rowsOf } from '../../../stores/postgres/values.ts';
import { adding, type Connection, idKey, query } from '../../../stores/sqlite/statements.ts';
import {
  type AuditAbout,
  type AuditQuery,
  type AuditReader,
  type AuditRecord,
  type AuditRow,
  actionAfter,
  type Known,
} from './view.ts';

/** One row for each record. Ids are passed and selected as text; values are JSON. */
interface AuditTable {
  readonly guild_id: string;
  readonly subject: string;
  readonly position: number;
  readonly id: string;
  readonly action: number;
  readonly actor_id: string;
  readonly value: string | null;
  /** The value of the record before it. */
  readonly former: string | null;
  readonly about: string;
}

const jsonOrNull = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
const parsed = (json: string | null): unknown => (json === null ? null : JSON.parse(json));

const stored = (record: AuditRecord, former: string | null): AuditTable => ({
  ...{ guild_id: record.guildId, subject: record.subject, position: record.position, id: record.id },
  ...{ action: record.action, actor_id: record.actorId, value: jsonOrNull(record.value), former },
  about: JSON.stringify(record.about),
});

type Columns = readonly [
  subject: string,
  position: number,
  id: string,
  action: number,
  actorId: string,
  value: string | null,
  former: string | null,
  about: string,
];

const rowOf = (guildId: string, [subject, position, id, action, actorId, value, former, about]: Columns): AuditRow => ({
  ...{ guildId, subject: subject as AuditSubject, position, id, action: action as AuditRow['action'], actorId },
  ...{ value: parsed(value), former: parsed(former), about: JSON.parse(about) as AuditAbout },
});

const COLUMNS = ['subject', 'position', 'id', 'action', 'actor_id', 'value', 'former', 'about'] as const;
const selected = COLUMNS.map((name) => (name.endsWith('id') ? `CAST(${name} AS TEXT) AS ${name}` : name));

/** What a query asks for beside the guild: its conditions with their values, and its order. */
const asked = ({ actorId, action, before, after }: AuditQuery) => ({
  conditions: [
    ...(actorId === undefined ? [] : [['actor_id =', actorId] as const]),
    ...(action === undefined ? [] : [['action =', action] as const]),
    ...(before === undefined ? [] : [['id <', before] as const]),
    ...(after === undefined ? [] : [['id >', after] as const]),
  ],
  order: after === undefined ? 'DESC' : 'ASC',
});

type Asked = ReturnType<typeof asked>;

/** @param place of the n-th value, the first of which is the guild */
const selecting = (table: string, { conditions, order }: Asked, place: (n: number) => string): string =>
  `SELECT ${selected} FROM ${table} WHERE guild_id = ${place(1)} AND action > 0
   ${conditions.map(([condition], n) => `AND ${condition} ${place(n + 2)}`).join(' ')}
   ORDER BY id ${order} LIMIT ${place(conditions.length + 2)}`;

/** The rows by which two generations are compared. */
export const auditRowsAt = (at: number): Readonly<Record<string, RawBuilder<unknown>>> => ({
  audit_log: sql`SELECT * FROM audit_log WHERE position <= ${at}`,
});

export const auditMigrations = (schema: string): Readonly<Record<string, Migration>> => ({
  '023-audit-log': {
    async up(db) {
      const within = (db as Kysely<{ audit_log: AuditTable }>).withSchema(schema);
      await within.schema
        .createTable('audit_log')
        .addColumn('guild_id', 'bigint', (column) => column.notNull())
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('position', 'bigint', (column) => column.notNull())
        .addColumn('id', 'bigint', (column) => column.notNull())
        .addColumn('action', 'integer', (column) => column.notNull())
        .addColumn('actor_id', 'bigint', (column) => column.notNull())
        .addColumn('value', 'text')
        .addColumn('former', 'text')
        .addColumn('about', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('audit_log_pkey', ['guild_id', 'subject', 'position'])
        .execute();
      await within.schema
        .createIndex('audit_entries')
        .on('audit_log')
        .columns(['guild_id', 'id'])
        .where(sql.ref('action'), '>', sql.lit(0))
        .execute();
    },
  },
});

export class PostgresAuditLog implements AuditReader {
  private readonly postgres: Postgres;
  private readonly table: string;
  private readonly insert: string;
  private readonly lookUp: string;

  constructor(postgres: Postgres, schema: string) {
    this.postgres = postgres;
    const table = `${schema}.audit_log`;
    this.table = table;
    // What a thing was is in the record before: of the same batch, or stored.
    this.insert = `WITH batch AS (
        SELECT *, row_number() OVER one AS nth, lag(value) OVER one AS previous FROM ${rowsOf(table)}
        WINDOW one AS (PARTITION BY guild_id, subject ORDER BY position)
      ), known AS (
        SELECT b.*, CASE WHEN nth > 1 THEN previous ELSE (
          SELECT a.value FROM ${table} a WHERE a.guild_id = b.guild_id AND a.subject = b.subject AND a.position < b.position
          ORDER BY a.position DESC LIMIT 1) END AS last FROM batch b
      )
      INSERT INTO ${table} SELECT guild_id, subject, position, id,
        CASE WHEN action = ${AuditAction.overwriteUpdate} AND last IS NULL THEN ${AuditAction.overwriteCreate} ELSE action END,
        actor_id, value, last, about FROM known ON CONFLICT DO NOTHING`;
    this.lookUp = `SELECT s.subject, a.value, a.former FROM unnest($2::text[]) s (subject), LATERAL (
        SELECT value, former FROM ${table} WHERE guild_id = $1 AND subject = s.subject AND position < $3
        ORDER BY position DESC LIMIT 1) a`;
  }

  async entries(guildId: string, query: AuditQuery): Promise<readonly AuditRow[]> {
    const given = asked(query);
    const text = selecting(this.table, given, (n) => `$${n}`);
    const values = given.conditions.map(([condition, value]) => {
      if (typeof value === 'number') return value;
      return condition.startsWith('id') ? boundOf(value) : postgresId(value);
    });
    const rows = await this.postgres.ask<Readonly<Record<(typeof COLUMNS)[number], never>>>({
      // PostgreSQL cuts names off after 63 bytes.
      name: `${this.table} ${given.conditions.map(([condition]) => condition)} ${given.order}`,
      text,
      values: [postgresId(guildId), ...values, query.limit],
    });
    return rows.map((row) => rowOf(guildId, COLUMNS.map((name) => row[name]) as unknown as Columns));
  }

  async known(guildId: string, subjects: readonly AuditSubject[], before: number): Promise<ReadonlyMap<string, Known>> {
    if (subjects.length === 0) return new Map();
    const rows = await this.postgres.ask<{ subject: string; value: string | null; former: string | null }>({
      ...{ name: `${this.table} known`, text: this.lookUp, values: [postgresId(guildId), subjects, before] },
    });
    return new Map(
      rows.map(({ subject, value, former }) => [subject, { value: parsed(value), former: parsed(former) }]),
    );
  }

  /** @param ask within the transaction that locks the partition of these records */
  async write(ask: Ask, records: readonly AuditRecord[]): Promise<void> {
    const values = [JSON.stringify(records.map((record) => stored(record, null)))];
    await ask({ name: `${this.table} insert`, text: this.insert, values });
  }
}

export const auditTables = `
CREATE TABLE audit_log (
  guild_id INTEGER NOT NULL,
  subject TEXT NOT NULL,
  position INTEGER NOT NULL,
  id INTEGER NOT NULL,
  action INTEGER NOT NULL,
  actor_id INTEGER NOT NULL,
  value TEXT,
  former TEXT,
  about TEXT NOT NULL,
  PRIMARY KEY (guild_id, subject, position)
) WITHOUT ROWID;
CREATE INDEX audit_entries ON audit_log (guild_id, id) WHERE action > 0;
`;

const prepare = (db: Connection) => ({
  add: adding<AuditTable>(db, 'audit_log'),
  last: query<[string | null, string | null]>(
    db,
    `SELECT value, former FROM audit_log WHERE guild_id = ? AND subject = ? AND position < ?
     ORDER BY position DESC LIMIT 1`,
  ),
});

export class SqliteAuditLog implements AuditReader {
  private readonly db: Connection;
  private readonly run: ReturnType<typeof prepare>;
  /** By their text: there are as many as ways to ask. */
  private readonly pages = new Map<string, ReturnType<typeof query<Columns>>>();

  constructor(db: Connection) {
    this.db = db;
    this.run = prepare(db);
  }

  apply(records: readonly AuditRecord[]): void {
    for (const record of records) {
      const { guildId, subject, position, action } = record;
      const [former] = this.run.last.get(idKey(guildId), subject, position) ?? [null];
      this.run.add(stored({ ...record, action: actionAfter(action, former) }, former));
    }
  }

  async entries(guildId: string, asking: AuditQuery): Promise<readonly AuditRow[]> {
    const given = asked(asking);
    const text = selecting('audit_log', given, () => '?');
    const page = this.pages.get(text) ?? query<Columns>(this.db, text);
    this.pages.set(text, page);
    const values = given.conditions.map(([, value]) => (typeof value === 'string' ? idKey(value) : value));
    return page.all(idKey(guildId), ...values, asking.limit).map((row) => rowOf(guildId, row));
  }

  async known(guildId: string, subjects: readonly AuditSubject[], before: number): Promise<ReadonlyMap<string, Known>> {
    return new Map(
      subjects.flatMap((subject) => {
        const found = this.run.last.get(idKey(guildId), subject, before);
        return found === undefined ? [] : [[subject, { value: parsed(found[0]), former: parsed(found[1]) }] as const];
      }),
    );
  }
}
