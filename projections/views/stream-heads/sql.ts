/** The heads of streams in every SQL store. */

import { type Kysely, type Migration, type RawBuilder, sql } from 'kysely';
import type { StreamHead } from '../../../log/port.ts';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import type { TimeSlices } from '../../../schemas/time-slices.ts';
import { builder as postgresBuilder } from '../../../stores/postgres/builder.ts';
import type { Ask, Postgres } from '../../../stores/postgres/connection.ts';
import { rowsOf } from '../../../stores/postgres/values.ts';
import { builder, built, type Connection, command } from '../../../stores/sqlite/statements.ts';
import { statement } from '../../../stores/statement.ts';
import { type HeadChange, headAfter, headChanges, type StreamHeadReader } from './view.ts';

interface StreamHeadTables {
  readonly stream_heads: {
    readonly stream: string;
    readonly sequence: number;
    readonly position: number;
    /** Position of the stream's first event. */
    readonly began_at: number;
  };
  /** A row: streams whose last event is at or before this position may be missing. */
  readonly stream_heads_missing: { readonly through: number };
}

const rowOf = ({ stream, sequence, position, beganAt }: HeadChange): StreamHeadTables['stream_heads'] => ({
  stream,
  sequence,
  position,
  began_at: beganAt,
});

type Query = Parameters<StreamHeadReader['page']>[0];

/** Above every name with the prefix. */
const beyond = (prefix: string): string => `${prefix}\u{10ffff}`;

const headQueries = (db: Kysely<StreamHeadTables>) => ({
  page: (prefix: string, after: string, end: string, limit: number) =>
    db
      .selectFrom('stream_heads as h')
      .select(['h.stream', 'h.sequence', 'h.position'])
      .where('h.stream', '>=', prefix)
      .where('h.stream', '>', after)
      .where('h.stream', '<', end)
      .orderBy('h.stream')
      .limit(limit),
});

/** The rows by which two generations are compared. Only a stream's latest head is stored, so heads are left out. */
export const headRowsAt = (at: number): Readonly<Record<string, RawBuilder<unknown>>> => ({
  stream_heads: sql`SELECT stream, began_at FROM stream_heads WHERE began_at <= ${at}`,
});

export const headMigrations = (schema: string): Readonly<Record<string, Migration>> => ({
  '005-stream-heads': {
    async up(db) {
      const within = (db as Kysely<StreamHeadTables>).withSchema(schema);
      await within.schema
        .createTable('stream_heads')
        .addColumn('stream', sql`text COLLATE "C"`, (column) => column.primaryKey())
        .addColumn('sequence', 'bigint', (column) => column.notNull())
        .addColumn('position', 'bigint', (column) => column.notNull())
        .addColumn('began_at', 'bigint', (column) => column.notNull())
        .execute();
      // A generation that is in use has passed the events of many streams already.
      const table = sql.table(`${schema}.stream_heads_missing`);
      await sql`CREATE TABLE ${table} AS
        SELECT max(position) AS through FROM ${sql.table(`${schema}.checkpoints`)} HAVING max(position) > 0`.execute(
        db,
      );
    },
  },
});

/** A write for every batch of messages would be most of what the store has to do, so heads wait for the checkpoint. */
export class PostgresStreamHeads implements StreamHeadReader {
  private readonly postgres: Postgres;
  private readonly schema: string;
  private readonly ask: (prefix: string, after: string, end: string, limit: number) => Promise<readonly StreamHead[]>;
  private readonly put: string;
  /** What is not stored yet, by partition and stream. */
  private readonly waiting = new Map<number, Map<string, HeadChange>>();

  constructor(postgres: Postgres, schema: string) {
    this.postgres = postgres;
    this.schema = schema;
    const { page } = headQueries(postgresBuilder<StreamHeadTables>(schema));
    this.ask = postgres.prepared(`${schema} stream heads`, statement(page));
    const table = `${schema}.stream_heads`;
    // What a repair or a repeated batch brings may be older than the row.
    this.put = `INSERT INTO ${table} AS h SELECT * FROM ${rowsOf(table)} ON CONFLICT (stream) DO UPDATE
      SET sequence = greatest(h.sequence, excluded.sequence), position = greatest(h.position, excluded.position),
        began_at = least(h.began_at, excluded.began_at)
      WHERE h.sequence < excluded.sequence OR h.began_at > excluded.began_at`;
  }

  page({ prefix, after, limit }: Query): Promise<readonly StreamHead[]> {
    return this.ask(prefix, after, beyond(prefix), limit);
  }

  async isComplete(): Promise<boolean> {
    const text = `SELECT 1 FROM ${this.schema}.stream_heads_missing LIMIT 1`;
    return (await this.postgres.ask({ name: `${this.schema} stream heads missing`, text, values: [] })).length === 0;
  }

  keep(partition: number, events: readonly ParleyEvent[]): void {
    let waiting = this.waiting.get(partition);
    if (waiting === undefined) {
      waiting = new Map();
      this.waiting.set(partition, waiting);
    }
    for (const event of events) waiting.set(event.stream, headAfter(waiting.get(event.stream), event));
  }

  async writeKept(ask: Ask, partitions: readonly number[]): Promise<() => void> {
    const written = partitions.flatMap((partition) => [...(this.waiting.get(partition)?.values() ?? [])]);
    await this.write(ask, written);
    return () => {
      for (const partition of partitions) {
        const waiting = this.waiting.get(partition);
        // A later head of the same stream goes on waiting.
        for (const change of written) if (waiting?.get(change.stream) === change) waiting.delete(change.stream);
      }
    };
  }

  forget(partition: number): void {
    this.waiting.delete(partition);
  }

  /** @param ask within the transaction that locks the partitions of these streams */
  async write(ask: Ask, changes: Iterable<HeadChange>): Promise<void> {
    const rows = Array.from(changes, rowOf);
    if (rows.length === 0) return;
    await ask({ name: `${this.schema} write stream heads`, text: this.put, values: [JSON.stringify(rows)] });
  }
}

export const headTables = `
CREATE TABLE stream_heads (
  stream TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL,
  position INTEGER NOT NULL,
  began_at INTEGER NOT NULL
) WITHOUT ROWID;
`;

const prepare = (db: Connection) => ({
  put: command(
    db,
    `INSERT INTO stream_heads (stream, sequence, position, began_at) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET sequence = excluded.sequence, position = excluded.position`,
  ),
  page: built(db, headQueries(builder<StreamHeadTables>()).page),
});

export class SqliteStreamHeads implements StreamHeadReader {
  private readonly run: ReturnType<typeof prepare>;
  private readonly slices: TimeSlices;

  /** @param slices shared by all readers of the file */
  constructor(db: Connection, slices: TimeSlices) {
    this.run = prepare(db);
    this.slices = slices;
  }

  apply(events: readonly ParleyEvent[]): void {
    for (const { stream, sequence, position, beganAt } of headChanges(events))
      this.run.put(stream, sequence, position, beganAt);
  }

  page({ prefix, after, limit }: Query): Promise<readonly StreamHead[]> {
    return this.slices.step(() => this.run.page.all(prefix, after, beyond(prefix), limit));
  }

  /** A file with other tables is rebuilt. */
  async isComplete(): Promise<boolean> {
    return true;
  }
}
