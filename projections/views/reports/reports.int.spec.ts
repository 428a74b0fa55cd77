import { memoryDatabase } from '../../../stores/testing.ts';
import { reportContract } from './contract.ts';
import { reportTables, SqliteReports } from './sqlite.ts';
import { reportChanges } from './view.ts';

reportContract('SQLite', async () => {
  const db = memoryDatabase(reportTables);
  const reports = new SqliteReports(db);
  return {
    reader: reports,
    apply: async (events) => reports.apply(reportChanges(events)),
    close: async () => void db.close(),
  };
});
