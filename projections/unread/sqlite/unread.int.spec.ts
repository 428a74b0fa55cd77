import { memoryDatabase } from '../../sqlite/testing.ts';
import { unreadContract } from '../contract.ts';
import { unreadChanges } from '../project.ts';
import { SqliteUnread, unreadTables } from './store.ts';

unreadContract('SQLite', async () => {
  const db = memoryDatabase(unreadTables);
  const rows = new SqliteUnread(db);
  return {
    rows,
    apply: async (events) => rows.apply(unreadChanges(events)),
    close: async () => void db.close(),
  };
});
