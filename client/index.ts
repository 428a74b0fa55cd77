/** A small client: a session on the socket, and the HTTP API. */

export { CommandRefused, type CommandResult, type OutgoingCommand } from './commands.ts';
export type { Packet } from './connection.ts';
export { type HistoryQuery, Rest, RestError, type SignedIn } from './rest.ts';
export {
  type ConnectOptions,
  connect,
  type SavedSession,
  Session,
  SessionEnded,
  type SessionEvents,
} from './session.ts';
export type * from './shapes.ts';
