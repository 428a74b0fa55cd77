/** Replay of the event log for analysts: over HTTP, and as lines for the command line. */
export type { ReplayDeps } from './opening.ts';
export type { ReplayQuery } from './query.ts';
export { EventTypes, Time } from './query.ts';
export { replayLines } from './replay.ts';
export { replayRoutes } from './routes.ts';
