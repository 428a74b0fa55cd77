export { openPostgresEventLog, type PostgresEventLogOptions } from './event-log.ts';
