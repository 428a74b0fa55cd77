import { builder, built, type Connection, command } from '../../sqlite/statements.ts';
import type { SnapshotReader, SnapshotWriter, StateSnapshot, StoredSnapshot } from '../port.ts';
import { type SnapshotTables, snapshotQueries } from '../queries.ts';

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
