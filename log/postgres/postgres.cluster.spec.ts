import { createDatabase } from '../../services/testing.ts';
import { eventLogContract } from '../contract.ts';
import { openPostgresEventLog } from './index.ts';

eventLogContract('PostgreSQL', async () => {
  const database = await createDatabase();
  let log = await openPostgresEventLog({ url: database.url });
  return {
    log,
    async reopen() {
      await log.close();
      log = await openPostgresEventLog({ url: database.url });
      return log;
    },
    async dispose() {
      await log.close();
      await database.drop();
    },
  };
});
