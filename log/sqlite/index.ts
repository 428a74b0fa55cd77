/** The SQLite adapter of the event log. */
export { openSqliteEventLog, openSqliteLogReader, type SqliteEventLogOptions } from './event-log.ts';
export { DirectoryInUse, type DirectoryLock, lockDirectory } from './lock.ts';
export { type LogTrouble, UnusableLog } from './open.ts';
