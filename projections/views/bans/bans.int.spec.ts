import { memoryDatabase } from '../../../stores/testing.ts';
import { banContract } from './contract.ts';
import { banTables, SqliteBans } from './sql.ts';
import { banChanges } from './view.ts';

banContract('SQLite', async () => {
  const db = memoryDatabase(banTables);
  const bans = new SqliteBans(db);
  return {
    reader: bans,
    apply: async (events) => bans.apply(banChanges(events)),
    close: async () => void db.close(),
  };
});
