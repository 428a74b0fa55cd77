import { systemClock } from '../../../schemas/clock.ts';
import { TimeSlices } from '../../../schemas/time-slices.ts';
import { memoryDatabase } from '../../../stores/testing.ts';
import { unreadContract } from './contract.ts';
import { SqliteUnread, unreadTables } from './sqlite.ts';
import { unreadChanges } from './view.ts';

unreadContract('SQLite', async () => {
  const db = memoryDatabase(unreadTables);
  const rows = new SqliteUnread(db, new TimeSlices(systemClock));
  return {
    rows,
    apply: async (events) => rows.apply(unreadChanges(events)),
    close: async () => void db.close(),
  };
});
