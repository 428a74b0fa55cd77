import { memoryDatabase } from '../../sqlite/testing.ts';
import { timelineContract } from '../contract.ts';
import { timelineChanges } from '../project.ts';
import { SqliteTimelineReader } from './reader.ts';
import { timelineTables } from './tables.ts';
import { SqliteTimelineWriter } from './writer.ts';

timelineContract('SQLite', async () => {
  const db = memoryDatabase(timelineTables);
  const writer = new SqliteTimelineWriter(db);
  return {
    reader: new SqliteTimelineReader(db),
    apply: async (events) => writer.apply(timelineChanges(events)),
    close: async () => void db.close(),
  };
});
