import { type Connection, command, query } from '../../sqlite/statements.ts';
import type { SnapshotReader, SnapshotWriter, StateSnapshot, StoredSnapshot } from '../port.ts';

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
  latest: query<[sequence: number, version: number, state: string]>(
    db,
    'SELECT sequence, version, state FROM snapshots WHERE stream = ?',
  ),
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
    return row && { stream, sequence: row[0], version: row[1], state: JSON.parse(row[2]) as unknown };
  }
}
