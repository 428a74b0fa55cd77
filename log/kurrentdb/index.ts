export type { Patience } from './connection.ts';
export { type KurrentEventLogOptions, openKurrentEventLog } from './event-log.ts';
