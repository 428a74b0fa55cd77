import { systemClock } from '../../../schemas/clock.ts';
import { TimeSlices } from '../../../schemas/time-slices.ts';
import { memoryDatabase } from '../../../stores/testing.ts';
import { streamHeadContract } from './contract.ts';
import { headTables, SqliteStreamHeads } from './sql.ts';

streamHeadContract('SQLite', async () => {
  const db = memoryDatabase(headTables);
  const heads = new SqliteStreamHeads(db, new TimeSlices(systemClock));
  return { reader: heads, apply: async (events) => heads.apply(events), close: async () => void db.close() };
});
