/** The roles that work on the log: the projector, which follows the distribution log into every view, and the relay. */

import { Leftovers } from '../../commands/processes.ts';
import type { WriteSide } from '../../commands/write-side.ts';
import type { Leadership } from '../../coordination/port.ts';
import type { EventLog } from '../../log/port.ts';
import type { Following } from '../../projections/distribution/assignment.ts';
import { followPartitions } from '../../projections/distribution/kafka/follow.ts';
import { startRelay } from '../../projections/distribution/kafka/relay.ts';
import { ParsedRecords } from '../../projections/distribution/parsed-records.ts';
import type { Relay } from '../../projections/distribution/relay.ts';
import type { DeadLetters } from '../../projections/engine/dead-letters/port.ts';
import { generationOf, OVERLAP_MS, type ViewKind, watchGeneration } from '../../projections/engine/generations.ts';
import type { ViewName } from '../../projections/engine/port.ts';
import type { ProgressChannel } from '../../projections/engine/progress/port.ts';
import { deliverySink } from '../../projections/feed/publish.ts';
import { openFeedPublisher } from '../../projections/feed/redis.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { EdgeOptions } from '../edges.ts';
import type { Connections } from './connections.ts';
import type { FollowedHere } from './followed.ts';
import { viewKinds } from './view-kinds.ts';

/** How often the log's position is recorded in the vault. */
const REMEMBER_MS = 1000;

/**
 * Work that one node does for all: it finishes what dead nodes left undone, and records the log's position in the
 * vault.
 */
export const standForFinisher = async (
  connections: Connections,
  { config, logger, clock }: EdgeOptions,
  { log, write }: { readonly log: EventLog; readonly write: WriteSide },
): Promise<void> => {
  const [vault, checkpoints] = await Promise.all([connections.vault(), connections.checkpoints()]);
  let leftovers: Leftovers | undefined;
  let endRemembering = () => {};
  const remember = async (): Promise<void> => {
    // The log or the vault is gone. The position is recorded once they are back.
    await log.head().then(
      (head) => vault.rememberPosition(log.epoch, head),
      () => {},
    );
  };
  const leadership = connections.leaderships().seek({
    name: `${config.cluster.namespace} finisher`,
    onGained: async () => {
      leftovers = new Leftovers({ log, processes: write.processes, checkpoints, logger, clock });
      leftovers.start();
      for (const due of write.dueWork) due.start();
      endRemembering = clock.every(REMEMBER_MS, () => void remember().catch(() => {}));
    },
    onLost: async () => {
      endRemembering();
      await Promise.all(write.dueWork.map((due) => due.stop()));
      await leftovers?.stop();
    },
  });
  connections.opened.add(leadership, (one) => one.stop());
};

// The relay role: one process copies the log into the distribution log, and the others stand by.

/** @param onFailure called once when the process must end: the distribution log does not match the configuration */
export const standForRelay = async (
  connections: Connections,
  { config, metrics, logger, clock, spans }: EdgeOptions,
  onFailure: (error: unknown) => void,
): Promise<Leadership> => {
  const [log, checkpoints, distribution] = await Promise.all([
    connections.log(),
    connections.checkpoints(),
    connections.distribution(),
  ]);
  let relay: Relay | undefined;
  const leadership = connections.leaderships().seek({
    name: `${config.cluster.namespace} relay`,
    onGained: async (term) => {
      logger.info({ term }, 'this process is the relay');
      relay = startRelay({
        ...{ ...distribution, log, checkpoints, logger, clock, spans, onFailure },
        watch: connections.watch('kafka'),
        onRelayed: (events) => metrics.relayed.inc(events),
        onLeftOut: () => metrics.relayLeftOut.inc(),
      });
    },
    onLost: async () => {
      await relay?.stop();
      relay = undefined;
    },
  });
  return connections.opened.add(leadership, (one) => one.stop());
};

type Common = Pick<
  Parameters<typeof followPartitions>[0],
  'url' | 'namespace' | 'partitions' | 'parsed' | 'log' | 'logger' | 'clock' | 'spans' | 'onReplaced' | 'onFailure'
>;

interface Parts {
  readonly connections: Connections;
  readonly common: Common;
  readonly updates: ProgressChannel;
  readonly deadLetters: DeadLetters;
  readonly metrics: Metrics;
  readonly followed: FollowedHere;
}

/** The group that owns a generation's checkpoints and dead letters. */
const groupOf = (view: ViewName, generation: number): string => `${view}-g${generation}`;

/**
 * A batch of ten events costs its servers almost as much as one of a hundred, so events are gathered first. At 2,000
 * messages a second this halves Cassandra's CPU time. The guild views gather for a shorter time, because whoever changes
 * a guild waits for them.
 */
const GATHER_MS: Readonly<Record<ViewName, number>> = { 'guild-views': 25, timelines: 100, unread: 100 };

const followGeneration = async (parts: Parts, kind: ViewKind<unknown>, generation: number): Promise<Following> => {
  const { store } = await kind.open(generation);
  const following = followPartitions({
    ...parts.common,
    group: groupOf(kind.name, generation),
    sink: store,
    gatherMs: GATHER_MS[kind.name],
    deadLetters: parts.deadLetters,
    onBug: () => parts.metrics.projectionBugs.inc({ view: kind.name }),
    onDeadLetter: () => parts.metrics.deadLetters.inc({ view: kind.name }),
    onThrough: (partition, { through, events, empty }) => {
      parts.metrics.projected.inc({ view: kind.name }, events);
      parts.updates.publish({ view: kind.name, generation, through: { [partition]: through }, empty });
    },
  });
  return parts.followed.add(following);
};

/** Follows the generation that is read, and for a while the one before it. */
const followView = async (parts: Parts, kind: ViewKind<unknown>): Promise<void> => {
  const { opened, clock } = parts.connections;
  const checkpoints = await parts.connections.checkpoints();
  const first = await generationOf(checkpoints, kind.name);
  const followed = new Set([await followGeneration(parts, kind, first)]);
  const ending = new Set<() => void>();
  const leave = watchGeneration(
    checkpoints,
    kind.name,
    first,
    async (generation) => {
      const former = [...followed];
      followed.add(await followGeneration(parts, kind, generation));
      const cancel = clock.setTimer(OVERLAP_MS, () => {
        ending.delete(cancel);
        for (const one of former) {
          followed.delete(one);
          void parts.followed.end(one);
        }
      });
      ending.add(cancel);
    },
    clock,
  );
  opened.add(followed, async () => {
    leave();
    for (const cancel of ending) cancel();
    await Promise.all([...followed].map((one) => parts.followed.end(one)));
  });
};

/** @param onFailure called once when the process must end: the distribution log does not match the configuration */
export const startProjector = async (
  connections: Connections,
  { config, metrics, logger, clock, spans }: EdgeOptions,
  followed: FollowedHere,
  onFailure: (error: unknown) => void,
): Promise<void> => {
  const { opened } = connections;
  const { namespace, partitions } = config.cluster;
  const [log, redis, distribution, updates] = await Promise.all([
    connections.log(),
    connections.redis(),
    connections.distribution(),
    connections.progress(),
  ]);
  const onReplaced = (_reason: string, group: string) => metrics.replaced.inc({ group });
  const parsed = new ParsedRecords((how) => metrics.recordsRead.inc({ how }));
  const common: Common = { ...distribution, parsed, log, logger, clock, spans, onReplaced, onFailure };
  const deadLetters = await connections.deadLetters();
  const parts: Parts = { connections, common, updates, deadLetters, metrics, followed };
  const kinds = await viewKinds(connections);
  for (const kind of Object.values(kinds)) await followView(parts, kind);
  const sink = deliverySink({
    publisher: openFeedPublisher(redis, namespace, connections.ownFeed),
    log,
    partitions,
    onDropped: (_batch, error) => logger.debug({ err: error }, 'a batch of the feed was not published'),
    onUnreadable: (failure) => {
      metrics.unreadableEvents.inc();
      const { stream, sequence, position } = failure.event;
      logger.error({ err: failure, stream, sequence, position }, 'an event cannot be read, so it is not delivered');
    },
  });
  opened.add(followed.add(followPartitions({ ...common, group: 'delivery', sink })), (one) => followed.end(one));
};
