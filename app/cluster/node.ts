/** What a process that serves clients stands on: log, vault, views, write side, and its end of the delivery feed. */
import { createWriteSide, type Ephemeral } from '../../commands/index.ts';
import { redisLimiter } from '../../commands/limits/redis/index.ts';
import { redisSharedWrites } from '../../commands/redis/index.ts';
import { redisSessionRegistry } from '../../gateway/registry/redis/index.ts';
import { Access } from '../../projections/access.ts';
import { MendingFeedReader } from '../../projections/delivery/reader.ts';
import { openFeedTransport, openTypingPublisher } from '../../projections/delivery/redis/index.ts';
import type { Views } from '../../projections/port.ts';
import { Presenter } from '../../projections/presenter/index.ts';
import { redisProgress } from '../../projections/progress/redis/index.ts';
import { CurrentTimelines } from '../../projections/timelines/current.ts';
import { createTokens, KeyRing } from '../../vault/index.ts';
import type { EdgeOptions, Shared, Stores } from '../edges.ts';
import type { Connections } from './connections.ts';
import { Delivered } from './delivered.ts';
import { openReadSide, type ReadSide } from './read-side.ts';
import { together, viewsOf } from './views.ts';
import { leasedWorker } from './worker.ts';

export interface Node {
  /** What HTTP stands on: reads wait for the views that others write. */
  readonly api: Stores;
  /** What sockets stand on: they begin at a position of the feed. */
  readonly gateway: Stores;
  readonly shared: Shared;
  readonly reads: ReadSide;
  /** Told of everything that this process hears. */
  readonly delivered: Delivered;
  /** Where typing goes that this process hears of. */
  listenForTyping(listener: Ephemeral): void;
  /** Begins to listen; who is to be told must be registered by then. */
  start(): Promise<void>;
}

/** @param onFailure told once when the process must end: it cannot deliver any more */
export const openNode = async (
  connections: Connections,
  { config, metrics, logger }: EdgeOptions,
  onFailure: (error: unknown) => void,
): Promise<Node> => {
  const { opened } = connections;
  const { partitions, namespace } = config.cluster;
  const [log, vault, redis] = await Promise.all([connections.log(), connections.vault(), connections.redis()]);
  const reads = await openReadSide(connections);
  const { readers, progress } = reads;
  const updates = redisProgress(redis, namespace);
  updates.onUpdate((update) => reads.heardOf(update));
  opened.add(updates, (one) => one.stop());

  let typing: Ephemeral | undefined;
  const delivered = new Delivered();
  const feedReader = new MendingFeedReader({
    log,
    transport: openFeedTransport(redis, namespace),
    partitions,
    onTyping: (told) => typing?.typing(told),
    onFailure,
    logger,
    metrics: {
      filled: (reason) => metrics.feedFills.inc({ reason }),
      released: (ms) => metrics.feedHeld.observe(ms / 1000),
    },
  });
  opened.add(feedReader, (one) => one.stop());
  delivered.onBatch(async (events) => {
    for (const event of events) reads.cache.heard(event);
  });

  const keys = new KeyRing(vault);
  const tokens = createTokens(vault);
  const access = new Access(reads.cache);
  const timelines = new CurrentTimelines(readers.timelines, log);
  const presenter = new Presenter({ guilds: reads.cache, timelines, keys });
  const atRest: Views['atRest'] = (read) => feedReader.atRest(read);
  const everyView = together(Object.values(progress));
  const apiViews = viewsOf({ readers, progress, whole: everyView, atRest });
  const gatewayViews = viewsOf({ readers, progress, whole: together([progress['guild-views'], delivered]), atRest });
  const lease = opened.add(await leasedWorker(connections.agreements), (one) => one.release());
  const write = await createWriteSide({
    log,
    views: apiViews,
    access,
    presenter,
    timelines,
    vault,
    keys,
    tokens,
    ephemeral: openTypingPublisher(redis, namespace, partitions),
    sharedWrites: redisSharedWrites({ redis, namespace, logHead: () => log.head() }),
    limits: config.limits,
    limiter: redisLimiter(redis, namespace),
    registrationOpen: config.registration === 'open',
    worker: lease.worker,
    onConflict: () => metrics.appendConflicts.inc(),
  });
  const stores = { log, keys, tokens, access, presenter, write };
  return {
    api: { ...stores, views: apiViews },
    gateway: { ...stores, views: gatewayViews },
    shared: {
      feed: {
        listen: (audiences) => feedReader.listen(audiences),
        leave: (audiences) => feedReader.leave(audiences),
        viewsAt: (position) => reads.viewsAt(position),
      },
      registry: opened.add(redisSessionRegistry({ redis, namespace }), (one) => one.stop()),
    },
    reads,
    delivered,
    listenForTyping: (listener) => {
      typing = listener;
    },
    async start() {
      await updates.start();
      await feedReader.start(delivered.take);
      reads.cache.hearsFrom(feedReader.position);
      delivered.moveTo(feedReader.position);
    },
  };
};
