import type { Kysely } from 'kysely';
import type { Ask, Postgres } from '../../postgres/connection.ts';
import { rowsOf } from '../../postgres/rows.ts';
import { statement } from '../../statement.ts';
import type { SnapshotReader, StateSnapshot, StoredSnapshot } from '../port.ts';
import { type SnapshotTables, snapshotQueries } from '../queries.ts';

export class PostgresSnapshots implements SnapshotReader {
  private readonly schema: string;
  private readonly ask: (stream: string) => Promise<readonly Omit<SnapshotTables['snapshots'], 'stream'>[]>;
  private readonly put: string;

  constructor(postgres: Postgres, schema: string) {
    this.schema = schema;
    const { latest } = snapshotQueries((postgres.kysely as unknown as Kysely<SnapshotTables>).withSchema(schema));
    this.ask = postgres.prepared(`${schema} snapshot`, statement(latest));
    this.put = `INSERT INTO ${schema}.snapshots SELECT * FROM ${rowsOf(`${schema}.snapshots`)}
      ON CONFLICT (stream) DO UPDATE
      SET sequence = excluded.sequence, version = excluded.version, state = excluded.state`;
  }

  async latest(stream: string): Promise<StateSnapshot | undefined> {
    const [row] = await this.ask(stream);
    return row && { stream, sequence: row.sequence, version: row.version, state: JSON.parse(row.state) as unknown };
  }

  /** @param ask within the transaction that holds the partition of these streams. */
  async write(ask: Ask, snapshots: readonly StoredSnapshot[]): Promise<void> {
    if (snapshots.length === 0) return;
    const rows = snapshots.map(({ json, ...rest }) => ({ ...rest, state: json }));
    await ask({ name: `${this.schema} write snapshots`, text: this.put, values: [JSON.stringify(rows)] });
  }
}
