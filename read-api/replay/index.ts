/** Replay of the event log for analysts: over HTTP, and as lines for the command line. */
export type { ReplayDeps } from './knowledge.ts';
export { linesOf } from './lines.ts';
export type { ReplayPage } from './page.ts';
export type { ReplayQuery } from './query.ts';
export { EventTypes, Time } from './query.ts';
export { replayLines } from './replay.ts';
export { replayRoutes } from './routes.ts';
