import { systemClock } from '../../../schemas/clock.ts';
import { TimeSlices } from '../../../schemas/time-slices.ts';
import { memoryDatabase } from '../../../stores/testing.ts';
import { audienceContract } from './contract.ts';
import { audienceTables, SqliteAudiences } from './sql.ts';
import { audienceEntries } from './view.ts';

audienceContract('SQLite', async () => {
  const db = memoryDatabase(audienceTables);
  const audiences = new SqliteAudiences(db, new TimeSlices(systemClock));
  return {
    reader: audiences,
    apply: async (events) => audiences.apply(audienceEntries(events)),
    close: async () => void db.close(),
  };
});
