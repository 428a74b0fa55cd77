/** What a process that serves clients is built on: log, vault, views, write side, and its end of the delivery feed. */

import { createWriteSide } from '../../commands/write-side.ts';
import { leasedWorker } from '../../coordination/port.ts';
import { redisLimiter } from '../../coordination/redis/limiter.ts';
import { redisSharedWrites } from '../../coordination/redis/own-writes.ts';
import { redisSessionRegistry } from '../../coordination/redis/sessions.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import type { LogReader } from '../../log/port.ts';
import { Presenter } from '../../presenter/presenter.ts';
import { heldOrLate, Lateness } from '../../projections/cluster/lateness.ts';
import {
  Delivered,
  guildProgress,
  onceHeld,
  sharedGuildProgress,
  storedProgress,
  together,
  unreadOnceHeld,
  viewsOf,
} from '../../projections/cluster/node-views.ts';
import { standingFor, switchedView } from '../../projections/engine/generations.ts';
import type { Progress, ViewName } from '../../projections/engine/port.ts';
import type { ProgressUpdate } from '../../projections/engine/progress/port.ts';
import { MendingFeedReader } from '../../projections/feed/reader.ts';
import { openFeedTransport, openSignalPublisher } from '../../projections/feed/redis.ts';
import type { Readers, Views } from '../../projections/port.ts';
import { CurrentAudiences } from '../../projections/views/audience-index/view.ts';
import { CurrentAuditLog } from '../../projections/views/audit-log/current.ts';
import { Access } from '../../projections/views/guild-views/access.ts';
import { CachedGuilds } from '../../projections/views/guild-views/cached.ts';
import { CurrentGuilds } from '../../projections/views/guild-views/current.ts';
import { RecentGuildChanges } from '../../projections/views/guild-views/recent.ts';
import { CurrentPins } from '../../projections/views/pins/current.ts';
import { sqlReaders, sqlViewNames, sqlViews } from '../../projections/views/sql-views.ts';
import { CurrentTimelines } from '../../projections/views/timelines/current.ts';
import { UnreadFromLog, unreadWithFallback } from '../../projections/views/unread/from-log.ts';
import { Floors, Unread } from '../../projections/views/unread/reader.ts';
import { listedTypesChanging, type ParleyEvent } from '../../schemas/events/catalogue.ts';
import { TimeSlices } from '../../schemas/time-slices.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { KeyRing } from '../../vault/sealing.ts';
import { createTokens } from '../../vault/tokens.ts';
import type { EdgeOptions, Shared, Stores } from '../edges.ts';
import type { Connections } from './connections.ts';
import { viewKinds } from './view-kinds.ts';

// The views as one node reads them, wherever their stores are and even if some are down.

const { heldMs, headsMs } = BUDGETS.sessionStart;

interface ReadSide {
  readonly readers: Readers;
  readonly cache: CachedGuilds;
  readonly recent: RecentGuildChanges;
  readonly progress: Readonly<Record<ViewName, Progress>>;
  readonly guildRows: Progress;
  readonly streamHeads: Progress;
  /** The progress of the guild views as every node knows it. */
  readonly shared: Progress;
  /** The views for a session that begins at a position. */
  viewsAt(position: number): Pick<Views, 'guilds' | 'pins' | 'unread'>;
  heardOf(update: ProgressUpdate): void;
  /** Asks the view's store how far it has got. */
  look(view: ViewName): Promise<void>;
}

/** Types of events that change rows of the SQL views. The other two views make up for missing events from the log. */
const STRUCTURAL = listedTypesChanging(sqlViewNames.map((name) => sqlViews[name].name));

/**
 * Whether the guild views are complete at a position they have not reached, because no event of theirs lies between.
 */
const nothingStructural =
  (log: LogReader) =>
  async (after: number, position: number): Promise<boolean> => {
    const { events, through } = await log.readAll({ after, types: STRUCTURAL, limit: 1 });
    const [first] = events;
    return first === undefined ? through >= position : first.position > position;
  };

const openReadSide = async (connections: Connections, delivered: Delivered): Promise<ReadSide> => {
  const { opened, config, clock } = connections;
  const { partitions } = config.cluster;
  const [log, checkpoints, redis] = await Promise.all([
    connections.log(),
    connections.checkpoints(),
    connections.redis(),
  ]);
  const kinds = await viewKinds(connections);
  const common = { checkpoints, partitions, clock };
  const guildViews = await switchedView({
    kind: kinds['guild-views'],
    ...common,
    nothingBetween: nothingStructural(log),
  });
  const timelines = await switchedView({ kind: kinds.timelines, ...common });
  const unread = await switchedView({ kind: kinds.unread, ...common });
  const views = { 'guild-views': guildViews, timelines, unread };
  for (const view of Object.values(views)) opened.add(view, (one) => one.close());

  const stored = sqlReaders((name) => standingFor(() => guildViews.readers()[name]));
  const held = () => guildViews.progress.checkpoint();
  const recent = new RecentGuildChanges(held);
  const guildsAt = (at?: number) =>
    new CurrentGuilds({
      ...{ recent, held, now: stored.guilds },
      storedAt: (position) => guildViews.readers().guildsAt(position),
      ...(at === undefined ? {} : { at }),
    });
  // What this process has received counts as held: the rows are read with it.
  const cache = new CachedGuilds(guildsAt(), () => Math.max(held(), delivered.checkpoint()));
  const late = {
    'guild-views': new Lateness({ view: guildViews.progress, clock }),
    timelines: new Lateness({ view: timelines.progress, clock }),
    unread: new Lateness({ view: unread.progress, gone: () => !redis.connected, clock }),
  };
  const floors = new Floors(cache, log);
  const fromLog = new UnreadFromLog(log, floors);
  const counted = unreadWithFallback(
    new Unread(
      standingFor(() => unread.readers()),
      floors,
    ),
    fromLog,
    late.unread,
  );
  const readers: Readers = {
    ...stored,
    guilds: cache,
    timelines: new CurrentTimelines(
      standingFor(() => timelines.readers()),
      log,
      () => late.timelines.late,
    ),
    unread: counted,
    pins: new CurrentPins({
      ...{ stored: stored.pins, log, held },
      received: () => delivered.checkpoint(),
      heard: (channelId, after) => recent.pinsOf(channelId, after),
    }),
    audiences: new CurrentAudiences(stored.audiences, log, held),
    audit: new CurrentAuditLog({
      stored: stored.audit,
      received: (guildId) => (recent.complete ? recent.auditOf(guildId, held()) : undefined),
    }),
  };
  const guildParts = { view: guildViews.progress, lateness: late['guild-views'], recent, delivered };
  const progress = {
    'guild-views': guildProgress(guildParts),
    timelines: heldOrLate(timelines.progress, late.timelines),
    unread: heldOrLate(unread.progress, late.unread),
  };
  return {
    readers,
    cache,
    recent,
    progress,
    guildRows: heldOrLate(guildViews.progress, late['guild-views']),
    streamHeads: storedProgress(guildViews, clock),
    shared: sharedGuildProgress(guildParts),
    viewsAt: (position) => ({
      guilds: onceHeld(guildsAt(position), progress['guild-views'], position, heldMs),
      pins: onceHeld(readers.pins, progress['guild-views'], position, heldMs),
      unread: unreadOnceHeld({ store: counted, log: fromLog, progress: progress.unread }, position, headsMs),
    }),
    heardOf: (update) => views[update.view].heardOf(update),
    look: (view) => views[view].look(),
  };
};

type Signals = Pick<Gateway, 'typing' | 'takeover'>;

export interface Node {
  /** For HTTP: reads wait for the views that other processes write. */
  readonly api: Stores;
  /** For sockets: they begin at a position of the feed. */
  readonly gateway: Stores;
  readonly shared: Shared;
  readonly reads: ReadSide;
  /** Receives everything that arrives at this process. */
  readonly delivered: Delivered;
  /** Registers the receiver of what other processes signal to this one. */
  listenForSignals(listener: Signals): void;
  /** Begins to listen. Receivers must be registered by then. */
  start(): Promise<void>;
}

/** @param onFailure called once when the process must end because it can no longer deliver */
export const openNode = async (
  connections: Connections,
  { config, metrics, logger, clock, spans }: EdgeOptions,
  onFailure: (error: unknown) => void,
): Promise<Node> => {
  const { opened } = connections;
  const { partitions, namespace } = config.cluster;
  const [log, vault, redis, updates] = await Promise.all([
    connections.log(),
    connections.vault(),
    connections.redis(),
    connections.progress(),
  ]);
  const delivered = new Delivered(clock);
  const reads = await openReadSide(connections, delivered);
  const { readers } = reads;
  updates.onUpdate((update) => reads.heardOf(update));

  let listening: Signals | undefined;
  const feedReader = new MendingFeedReader({
    log,
    transport: openFeedTransport(redis, namespace, connections.ownFeed),
    own: connections.ownFeed,
    partitions,
    onTyping: (told) => listening?.typing(told),
    onTakeover: (takeover) => listening?.takeover(takeover),
    onFailure,
    clock,
    logger,
    metrics: {
      filled: (reason) => metrics.feedFills.inc({ reason }),
      released: (ms) => metrics.feedHeld.observe(ms / 1000),
    },
  });
  opened.add(feedReader, (one) => one.stop());
  const signals = openSignalPublisher(redis, namespace, partitions);
  const keys = new KeyRing(vault);
  const tokens = createTokens(vault, { clock, lifetime: config.tokenSeconds });
  const access = new Access(reads.cache, clock.wallTime);
  const { timelines } = readers;
  const slices = new TimeSlices(clock);
  const presenter = new Presenter({ views: readers, timelines, keys, slices, publicUrl: config.publicUrl });
  const forgetWhatChanged = (event: ParleyEvent): void => {
    reads.cache.heard(event);
    keys.heard(event);
    presenter.heard(event);
  };
  delivered.onBatch(async (events) => {
    for (const event of events) {
      reads.recent.heard(event);
      forgetWhatChanged(event);
    }
  });
  const atRest: Views['atRest'] = (read) => feedReader.atRest(read);
  const everyView = together(Object.values(reads.progress));
  const progress = { ...reads.progress, 'guild-rows': reads.guildRows, 'stream-heads': reads.streamHeads };
  const apiViews = viewsOf({ readers, progress, whole: everyView, atRest });
  const gatewayViews = viewsOf({ readers, progress, whole: together([progress['guild-views'], delivered]), atRest });
  const lease = opened.add(await leasedWorker(connections.workers()), (one) => one.release());
  const write = await createWriteSide({
    log,
    views: apiViews,
    shared: reads.shared,
    delivered,
    access,
    timelines,
    vault,
    keys,
    tokens,
    ephemeral: signals,
    sharedWrites: redisSharedWrites({ redis, namespace, logHead: () => log.head(), clock }),
    limits: config.limits,
    bounds: config.bounds,
    limiter: redisLimiter(redis, namespace, clock),
    registration: config.registration,
    deletionSeconds: config.deletionSeconds,
    worker: lease.worker,
    onConflict: () => metrics.appendConflicts.inc(),
    // A right that somebody gives up here is not cached here until the feed brings the event back.
    onStored: (events) => {
      for (const event of events) forgetWhatChanged(event);
    },
    logger,
    clock,
    spans,
  });
  const stores = { log, keys, tokens, access, presenter, slices, write };
  return {
    api: { ...stores, views: apiViews },
    gateway: { ...stores, views: gatewayViews },
    shared: {
      feed: {
        listen: (audiences) => feedReader.listen(audiences),
        leave: (audiences) => feedReader.leave(audiences),
        viewsAt: (position) => reads.viewsAt(position),
        takeover: (takeover) => signals.takeover(takeover),
      },
      registry: opened.add(redisSessionRegistry({ redis, namespace, clock }), (one) => one.stop()),
    },
    reads,
    delivered,
    listenForSignals: (listener) => {
      listening = listener;
    },
    async start() {
      await updates.start();
      await feedReader.start(delivered.take);
      await reads.recent.begin(feedReader.position, log);
      reads.cache.hearsFrom(feedReader.position);
      delivered.moveTo(feedReader.position);
    },
  };
};
