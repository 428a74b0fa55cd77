/** Replay of the event log for analysts: over HTTP, and as lines for the command line. */
export type { ReplayDeps } from './knowledge.ts';
export { sealedLines } from './lines.ts';
export { openedLines } from './opening.ts';
export type { Lines, ReplayPage } from './page.ts';
export type { ReplayQuery } from './query.ts';
export { EventTypes, Time } from './query.ts';
export { replayLines } from './replay.ts';
export { replayRoutes } from './routes.ts';
