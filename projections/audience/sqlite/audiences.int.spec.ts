import { memoryDatabase } from '../../sqlite/testing.ts';
import { audienceContract } from '../contract.ts';
import { audienceEntries } from '../project.ts';
import { audienceTables, SqliteAudiences } from './store.ts';

audienceContract('SQLite', async () => {
  const db = memoryDatabase(audienceTables);
  const audiences = new SqliteAudiences(db);
  return {
    reader: audiences,
    apply: async (events) => audiences.apply(audienceEntries(events)),
    close: async () => void db.close(),
  };
});
