/** The projector role: follows the distribution log into every view, and publishes what it holds for the gateways. */

import type { DeadLetters } from '../../projections/dead-letters/port.ts';
import { openFeedPublisher } from '../../projections/delivery/redis/index.ts';
import { deliverySink } from '../../projections/delivery/sink.ts';
import type { ViewName } from '../../projections/port.ts';
import type { ProgressChannel } from '../../projections/progress/port.ts';
import { redisProgress } from '../../projections/progress/redis/index.ts';
import { type Following, followPartitions } from '../../projections/runner/kafka/index.ts';
import type { EdgeOptions } from '../edges.ts';
import type { Metrics } from '../metrics.ts';
import type { Connections } from './connections.ts';
import { generationOf, OVERLAP_MS, watchGeneration } from './generations.ts';
import type { ViewKind } from './switched-view.ts';
import { viewKinds } from './view-kinds.ts';

type Common = Pick<
  Parameters<typeof followPartitions>[0],
  'url' | 'namespace' | 'partitions' | 'log' | 'logger' | 'onFailure'
>;

interface Parts {
  readonly connections: Connections;
  readonly common: Common;
  readonly updates: ProgressChannel;
  readonly deadLetters: DeadLetters;
  readonly metrics: Metrics;
}

/** Whose checkpoints and dead letters a generation's are. */
export const groupOf = (view: ViewName, generation: number): string => `${view}-g${generation}`;

/**
 * A batch of ten events costs its servers almost as much as one of a hundred. Measured at 2,000 messages a second: Cassandra
 * takes half the CPU time. Whoever has changed a guild waits until it is seen, so that it comes sooner.
 */
const GATHER_MS: Readonly<Record<ViewName, number>> = { 'guild-views': 25, timelines: 100, unread: 100 };

const followGeneration = async (parts: Parts, kind: ViewKind<unknown>, generation: number): Promise<Following> => {
  const { store } = await kind.open(generation);
  return followPartitions({
    ...parts.common,
    group: groupOf(kind.name, generation),
    sink: store,
    gatherMs: GATHER_MS[kind.name],
    deadLetters: parts.deadLetters,
    onDeadLetter: () => parts.metrics.deadLetters.inc({ view: kind.name }),
    onThrough: (partition, through, events) => {
      parts.metrics.projected.inc({ view: kind.name }, events);
      parts.updates.publish({ view: kind.name, generation, through: { [partition]: through } });
    },
  });
};

/** The generation that is read, and for a while the one before it. */
const followView = async (parts: Parts, kind: ViewKind<unknown>): Promise<void> => {
  const { opened } = parts.connections;
  const checkpoints = await parts.connections.checkpoints();
  const first = await generationOf(checkpoints, kind.name);
  const followed = new Set([await followGeneration(parts, kind, first)]);
  const timers = new Set<NodeJS.Timeout>();
  const leave = watchGeneration(checkpoints, kind.name, first, async (generation) => {
    const former = [...followed];
    followed.add(await followGeneration(parts, kind, generation));
    const timer = setTimeout(() => {
      timers.delete(timer);
      for (const one of former) {
        followed.delete(one);
        void one.stop();
      }
    }, OVERLAP_MS);
    timers.add(timer);
  });
  opened.add(followed, async () => {
    leave();
    for (const timer of timers) clearTimeout(timer);
    await Promise.all([...followed].map((one) => one.stop()));
  });
};

/** @param onFailure told once when the process must end: the distribution log is not what the configuration says */
export const startProjector = async (
  connections: Connections,
  { config, metrics, logger }: EdgeOptions,
  onFailure: (error: unknown) => void,
): Promise<void> => {
  const { opened } = connections;
  const { namespace, partitions } = config.cluster;
  const [log, redis, distribution] = await Promise.all([
    connections.log(),
    connections.redis(),
    connections.distribution(),
  ]);
  const common: Common = { ...distribution, log, logger, onFailure };
  const updates = redisProgress(redis, namespace);
  await updates.start();
  opened.add(updates, (one) => one.stop());
  const deadLetters = await connections.deadLetters();
  const parts: Parts = { connections, common, updates, deadLetters, metrics };
  const kinds = await viewKinds(connections);
  for (const kind of Object.values(kinds)) await followView(parts, kind);
  const sink = deliverySink({
    publisher: openFeedPublisher(redis, namespace),
    log,
    partitions,
    onDropped: (_batch, error) => logger.debug({ err: error }, 'a batch of the feed was not published'),
  });
  const delivery = followPartitions({ ...common, group: 'delivery', sink });
  opened.add(delivery, (one) => one.stop());
};
