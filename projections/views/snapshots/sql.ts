/** Snapshots in every SQL store. */

import type { Kysely } from 'kysely';
import { builder as postgresBuilder } from '../../../stores/postgres/builder.ts';
import type { Ask, Postgres } from '../../../stores/postgres/connection.ts';
import { rowsOf } from '../../../stores/postgres/values.ts';
import { builder, built, type Connection, command } from '../../../stores/sqlite/statements.ts';
import { statement } from '../../../stores/statement.ts';
import type { SnapshotReader, SnapshotWriter, StateSnapshot, StoredSnapshot } from './view.ts';

export interface SnapshotTables {
  readonly snapshots: {
    readonly stream: string;
    readonly sequence: number;
    readonly version: number;
    /** JSON. */
    readonly state: string;
  };
}

const snapshotQueries = (db: Kysely<SnapshotTables>) => ({
  latest: (stream: string) =>
    db.selectFrom('snapshots as s').select(['s.sequence', 's.version', 's.state']).where('s.stream', '=', stream),
});

export class PostgresSnapshots implements SnapshotReader {
  private readonly schema: string;
  private readonly ask: (stream: string) => Promise<readonly Omit<SnapshotTables['snapshots'], 'stream'>[]>;
  private readonly put: string;

  constructor(postgres: Postgres, schema: string) {
    this.schema = schema;
    const { latest } = snapshotQueries(postgresBuilder<SnapshotTables>(schema));
    this.ask = postgres.prepared(`${schema} snapshot`, statement(latest));
    this.put = `INSERT INTO ${schema}.snapshots SELECT * FROM ${rowsOf(`${schema}.snapshots`)}
      ON CONFLICT (stream) DO UPDATE
      SET sequence = excluded.sequence, version = excluded.version, state = excluded.state`;
  }

  async latest(stream: string): Promise<StateSnapshot | undefined> {
    const [row] = await this.ask(stream);
    return row && { stream, sequence: row.sequence, version: row.version, state: JSON.parse(row.state) as unknown };
  }

  /** @param ask within the transaction that locks the partition of these streams */
  async write(ask: Ask, snapshots: readonly StoredSnapshot[]): Promise<void> {
    if (snapshots.length === 0) return;
    const rows = snapshots.map(({ json, ...rest }) => ({ ...rest, state: json }));
    await ask({ name: `${this.schema} write snapshots`, text: this.put, values: [JSON.stringify(rows)] });
  }
}

export const snapshotTables = `
CREATE TABLE snapshots (
  stream TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL
) WITHOUT ROWID;
`;

const prepare = (db: Connection) => ({
  put: command(
    db,
    `INSERT INTO snapshots (stream, sequence, version, state) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET sequence = excluded.sequence, version = excluded.version, state = excluded.state`,
  ),
  latest: built(db, snapshotQueries(builder<SnapshotTables>()).latest),
});

export class SqliteSnapshots implements SnapshotReader, SnapshotWriter {
  private readonly run: ReturnType<typeof prepare>;

  constructor(db: Connection) {
    this.run = prepare(db);
  }

  apply(snapshots: readonly StoredSnapshot[]): void {
    for (const { stream, sequence, version, json } of snapshots) this.run.put(stream, sequence, version, json);
  }

  async latest(stream: string): Promise<StateSnapshot | undefined> {
    const row = this.run.latest.get(stream);
    return row && { stream, sequence: row.sequence, version: row.version, state: JSON.parse(row.state) as unknown };
  }
}
