/** The views as one node reads them, wherever their stores are and whichever of those are gone. */
import type { LogReader } from '../../log/port.ts';
import { CurrentAudiences } from '../../projections/audience/current.ts';
import { CachedGuilds } from '../../projections/guild-views/cached.ts';
import type { GuildReader } from '../../projections/guild-views/port.ts';
import { STRUCTURE } from '../../projections/guild-views/project.ts';
import type { Progress, ViewName, Views } from '../../projections/port.ts';
import type { ProgressUpdate } from '../../projections/progress/port.ts';
import type { Readers } from '../../projections/runner/runner.ts';
import { progressWithFallback, unreadWithFallback } from '../../projections/unread/fallback.ts';
import { Floors } from '../../projections/unread/floors.ts';
import { UnreadFromLog } from '../../projections/unread/from-log.ts';
import { Unread } from '../../projections/unread/reader.ts';
import type { Connections } from './connections.ts';
import { standingFor, switchedView } from './switched-view.ts';
import { viewKinds } from './view-kinds.ts';
import { guildsOnceHeld, unreadOnceHeld } from './views.ts';

/** A session that begins, or an event that reveals a guild, waits so long for the views before it is given up. */
const HELD_MS = 2000;
/** Heads that come later are read from the log instead. */
const HEADS_MS = 250;

export interface ReadSide {
  readonly readers: Readers;
  readonly cache: CachedGuilds;
  readonly progress: Readonly<Record<ViewName, Progress>>;
  /** What a session is shown that begins at a position. */
  viewsAt(position: number): Pick<Views, 'guilds' | 'unread'>;
  heardOf(update: ProgressUpdate): void;
}

/** Whether the guild views hold a position without having got there: nothing of theirs lies between. */
const nothingStructural =
  (log: LogReader) =>
  async (after: number, position: number): Promise<boolean> => {
    const { events, through } = await log.readAll({ after, types: STRUCTURE, limit: 1 });
    const [first] = events;
    return first === undefined ? through >= position : first.position > position;
  };

export const openReadSide = async (connections: Connections): Promise<ReadSide> => {
  const { opened, config } = connections;
  const { partitions } = config.cluster;
  const [log, checkpoints, redis] = await Promise.all([
    connections.log(),
    connections.checkpoints(),
    connections.redis(),
  ]);
  const kinds = await viewKinds(connections);
  const common = { checkpoints, partitions };
  const guildViews = await switchedView({
    kind: kinds['guild-views'],
    ...common,
    nothingBetween: nothingStructural(log),
  });
  const timelines = await switchedView({ kind: kinds.timelines, ...common });
  const unread = await switchedView({ kind: kinds.unread, ...common });
  const views = { 'guild-views': guildViews, timelines, unread };
  for (const view of Object.values(views)) opened.add(view, (one) => one.close());

  const stored: GuildReader = standingFor(() => guildViews.readers().guilds);
  const cache = new CachedGuilds(stored, () => guildViews.progress.checkpoint());
  const floors = new Floors(cache, log);
  const fromLog = new UnreadFromLog(log, floors);
  const counted = unreadWithFallback(
    new Unread(
      standingFor(() => unread.readers()),
      floors,
    ),
    fromLog,
  );
  const readers: Readers = {
    guilds: cache,
    timelines: standingFor(() => timelines.readers()),
    unread: counted,
    audiences: new CurrentAudiences(
      standingFor(() => guildViews.readers().audiences),
      log,
      () => guildViews.progress.checkpoint(),
    ),
    snapshots: standingFor(() => guildViews.readers().snapshots),
  };
  const progress = {
    'guild-views': guildViews.progress,
    timelines: timelines.progress,
    unread: progressWithFallback(unread.progress, () => !redis.connected),
  };
  return {
    readers,
    cache,
    progress,
    viewsAt: (position) => ({
      guilds: guildsOnceHeld(guildViews.readers().guildsAt(position), progress['guild-views'], position, HELD_MS),
      unread: unreadOnceHeld({ store: counted, log: fromLog, progress: progress.unread }, position, HEADS_MS),
    }),
    heardOf: (update) => views[update.view].heardOf(update),
  };
};
