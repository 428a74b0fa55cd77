/** The three views, each on its own server: how to create and open a generation of each. */

import { alone } from '../../coordination/port.ts';
import { foldOf } from '../../domain/aggregates.ts';
import * as guildViews from '../../projections/cluster/postgres/views.ts';
import { openPostgresViews, prepareGeneration } from '../../projections/cluster/postgres/views.ts';
import { generationOf, type ViewKind } from '../../projections/engine/generations.ts';
import type { ViewName } from '../../projections/engine/port.ts';
import {
  compare,
  compareClosely,
  howSumsDiffer,
  type Summed,
  type ViewTools,
} from '../../projections/engine/rebuild-generation.ts';
import type { GuildReader } from '../../projections/views/guild-views/view.ts';
import type { SqlReaders } from '../../projections/views/sql-views.ts';
import * as timelines from '../../projections/views/timelines/cassandra/checksums.ts';
import { openCassandraTimelines } from '../../projections/views/timelines/cassandra/store.ts';
import * as timelineTables from '../../projections/views/timelines/cassandra/tables.ts';
import type { TimelineReader } from '../../projections/views/timelines/view.ts';
import * as unread from '../../projections/views/unread/redis/checksums.ts';
import { openRedisUnread } from '../../projections/views/unread/redis/store.ts';
import type { UnreadRows } from '../../projections/views/unread/view.ts';
import type { Connections } from './connections.ts';

export interface GuildViewReaders extends SqlReaders {
  /** Rows as of a position that the view holds. */
  guildsAt(position: number): GuildReader;
}

export interface ViewKinds {
  readonly 'guild-views': ViewKind<GuildViewReaders>;
  readonly timelines: ViewKind<TimelineReader>;
  readonly unread: ViewKind<UnreadRows>;
}

export const VIEWS: readonly ViewName[] = ['guild-views', 'timelines', 'unread'];

/** All generations share the servers' connections, so closing one has nothing to do. */
const left = async () => {};

/** Each kind opens only the servers that it needs. */
export const viewKindOf: { readonly [V in ViewName]: (connections: Connections) => Promise<ViewKinds[V]> } = {
  'guild-views': async (connections) => {
    const { partitions } = connections.config.cluster;
    const clock = connections.clock.monotonic;
    const [postgres, log] = await Promise.all([connections.views(), connections.log()]);
    return {
      name: 'guild-views',
      prepare: (generation) => prepareGeneration(postgres, generation),
      open: async (generation) => {
        const { store, ...readers } = openPostgresViews({
          client: postgres,
          generation,
          partitions,
          foldOf,
          log,
          clock,
        });
        return { readers, store, close: left };
      },
    };
  },
  timelines: async (connections) => {
    const { partitions } = connections.config.cluster;
    const clock = connections.clock.monotonic;
    const cassandra = await connections.cassandra();
    return {
      name: 'timelines',
      prepare: (generation) => timelineTables.createGeneration(cassandra, generation),
      open: async (generation) => {
        const { reader, store } = openCassandraTimelines({ client: cassandra, generation, partitions, clock });
        return { readers: reader, store, close: left };
      },
    };
  },
  unread: async (connections) => {
    const { partitions, namespace } = connections.config.cluster;
    const clock = connections.clock.monotonic;
    const [redis, log] = await Promise.all([connections.redis(), connections.log()]);
    return {
      name: 'unread',
      prepare: left,
      open: async (generation) => {
        const place = { namespace, generation, partitions };
        const { rows, store } = openRedisUnread({ redis, logHead: () => log.head(), clock, ...place });
        return { readers: rows, store, close: left };
      },
    };
  },
};

const kindsOn = async (connections: Connections): Promise<ViewKinds> => {
  const [guildViews, timelines, unread] = await Promise.all([
    viewKindOf['guild-views'](connections),
    viewKindOf.timelines(connections),
    viewKindOf.unread(connections),
  ]);
  return { 'guild-views': guildViews, timelines, unread };
};

/** Creates the generations that are read where they are missing. */
export const viewKinds = async (connections: Connections): Promise<ViewKinds> => {
  const kinds = await kindsOn(connections);
  const checkpoints = await connections.checkpoints();
  await alone(connections.leaderships(), `${connections.config.cluster.namespace} schema`, async () => {
    for (const kind of Object.values(kinds)) await kind.prepare(await generationOf(checkpoints, kind.name));
  });
  return kinds;
};

// Operations on the generations of a view besides reading and writing: list, drop, compare.

/** Maximum messages listed for a channel that differs. */
const MOST_MESSAGES = 10;

async function* named<S>(sums: AsyncIterable<S>, nameOf: (sum: S) => string): AsyncGenerator<[string, S]> {
  for await (const sum of sums) yield [nameOf(sum), sum];
}

const ofGuildViews = async (connections: Connections): Promise<ViewTools> => {
  const kind = await viewKindOf['guild-views'](connections);
  const postgres = await connections.views();
  const sumsAt = async (generation: number, at: number) => {
    const sums = new Map<string, guildViews.TableChecksum>();
    for await (const sum of guildViews.checksums(postgres, generation, at)) sums.set(sum.table, sum);
    return sums;
  };
  return {
    kind,
    generations: () => guildViews.listGenerations(postgres),
    drop: (generation) => guildViews.dropGeneration(postgres, generation),
    // Compares as of one position, so the views need not be at rest.
    compare: async (read, built, follow, lowest) => {
      await follow();
      const at = lowest();
      const [ones, others] = await Promise.all([sumsAt(read, at), sumsAt(built, at)]);
      const sum = ({ count, checksum }: guildViews.TableChecksum) => ({ through: at, count, checksum });
      const differences = [...ones.values()].flatMap((one) => {
        const other = others.get(one.table)!;
        const same = one.count === other.count && one.checksum === other.checksum;
        return same ? [] : [{ thing: `table ${one.table}`, how: howSumsDiffer(sum(one), sum(other)) }];
      });
      return { compared: ones.size, differences, unsettled: [] };
    },
  };
};

const ofTimelines = async (connections: Connections): Promise<ViewTools> => {
  const kind = await viewKindOf.timelines(connections);
  const cassandra = await connections.cassandra();
  const CHANNEL = 'channel ';
  const idOf = (thing: string) => thing.slice(CHANNEL.length);
  const closely = async (thing: string, read: number, built: number) => {
    const found = await timelines.differingMessages(cassandra, [read, built], idOf(thing));
    if (found.length === 0) return undefined;
    const more = found.length > MOST_MESSAGES ? ` and ${found.length - MOST_MESSAGES} more` : '';
    return `messages ${found.slice(0, MOST_MESSAGES).join(', ')}${more}`;
  };
  const summed = (generation: number): Summed => ({
    all: () => named(timelines.checksums(cassandra, generation), ({ channelId }) => `${CHANNEL}${channelId}`),
    of: (thing) => timelines.checksumOf(cassandra, generation, idOf(thing)),
  });
  return {
    kind,
    generations: () => timelineTables.listGenerations(cassandra),
    drop: (generation) => timelineTables.dropGeneration(cassandra, generation),
    compare: (read, built, follow) =>
      compareClosely(summed(read), summed(built), follow, (thing) => closely(thing, read, built)),
  };
};

const ofUnread = async (connections: Connections): Promise<ViewTools> => {
  const kind = await viewKindOf.unread(connections);
  const redis = await connections.redis();
  const { namespace, partitions } = connections.config.cluster;
  const place = (generation: number) => ({ namespace, generation, partitions });
  const summed = (generation: number): Summed => ({
    all: () => named(unread.checksums(redis, place(generation)), ({ stream }) => stream),
    of: (stream) => unread.checksumOf(redis, place(generation), stream),
  });
  return {
    kind,
    generations: () => unread.listGenerations(redis, namespace),
    drop: (generation) => unread.dropGeneration(redis, place(generation)),
    compare: (read, built, follow) => compare(summed(read), summed(built), follow, connections.clock),
  };
};

const TOOLS: Readonly<Record<ViewName, (connections: Connections) => Promise<ViewTools>>> = {
  'guild-views': ofGuildViews,
  timelines: ofTimelines,
  unread: ofUnread,
};

export const toolsOf = async (connections: Connections, view: ViewName): Promise<ViewTools> => {
  const tools = await TOOLS[view](connections);
  const { namespace } = connections.config.cluster;
  const prepare = (generation: number) =>
    alone(connections.leaderships(), `${namespace} schema`, () => tools.kind.prepare(generation));
  return { ...tools, kind: { ...tools.kind, prepare } };
};
