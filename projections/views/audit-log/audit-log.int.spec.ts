import { memoryDatabase } from '../../../stores/testing.ts';
import { auditLogContract } from './contract.ts';
import { auditTables, SqliteAuditLog } from './sql.ts';
import { auditRecords } from './view.ts';

auditLogContract('SQLite', async () => {
  const db = memoryDatabase(auditTables);
  const audit = new SqliteAuditLog(db);
  return {
    reader: audit,
    apply: async (events) => audit.apply(events.flatMap(auditRecords)),
    close: async () => void db.close(),
  };
});
