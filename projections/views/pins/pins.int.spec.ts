import { systemClock } from '../../../schemas/clock.ts';
import { TimeSlices } from '../../../schemas/time-slices.ts';
import { memoryDatabase } from '../../../stores/testing.ts';
import { pinContract } from './contract.ts';
import { pinTables, SqlitePins } from './sql.ts';
import { pinChanges } from './view.ts';

pinContract('SQLite', async () => {
  const db = memoryDatabase(pinTables);
  const pins = new SqlitePins(db, new TimeSlices(systemClock));
  return {
    reader: pins,
    apply: async (events) => pins.apply(pinChanges(events)),
    close: async () => void db.close(),
  };
});
