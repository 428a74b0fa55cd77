import { systemClock } from '../../../../schemas/clock.ts';
import { TimeSlices } from '../../../../schemas/time-slices.ts';
import { memoryDatabase } from '../../../../stores/testing.ts';
import { timelineContract } from '../contract.ts';
import { timelineChanges } from '../view.ts';
import { SqliteTimelineReader } from './reader.ts';
import { SqliteTimelineWriter, timelineTables } from './writer.ts';

timelineContract('SQLite', async () => {
  const db = memoryDatabase(timelineTables);
  const writer = new SqliteTimelineWriter(db);
  return {
    reader: new SqliteTimelineReader(db, new TimeSlices(systemClock)),
    apply: async (events) => writer.apply(timelineChanges(events)),
    close: async () => void db.close(),
  };
});
