import { memoryDatabase } from '../../../stores/testing.ts';
import { snapshotContract } from './contract.ts';
import { SqliteSnapshots, snapshotTables } from './sql.ts';

snapshotContract('SQLite', async () => {
  const db = memoryDatabase(snapshotTables);
  const snapshots = new SqliteSnapshots(db);
  return {
    latest: (stream) => snapshots.latest(stream),
    apply: (stored) => snapshots.apply(stored),
    close: async () => void db.close(),
  };
});
