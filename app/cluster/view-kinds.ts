/** The three views, each on its server: how a generation of each is made and opened. */
import { foldOf } from '../../domain/folds.ts';
import type { AudienceReader } from '../../projections/audience/port.ts';
import type { GuildReader } from '../../projections/guild-views/port.ts';

import type { ViewName } from '../../projections/port.ts';
import { openPostgresViews, prepareGeneration } from '../../projections/postgres/index.ts';
import type { SnapshotReader } from '../../projections/snapshots/port.ts';
import { createGeneration, openCassandraTimelines } from '../../projections/timelines/cassandra/index.ts';
import type { TimelineReader } from '../../projections/timelines/port.ts';
import type { UnreadRows } from '../../projections/unread/port.ts';
import { openRedisUnread } from '../../projections/unread/redis/index.ts';
import { alone } from './alone.ts';
import type { Connections } from './connections.ts';
import { generationOf } from './generations.ts';
import type { ViewKind } from './switched-view.ts';

export interface GuildViewReaders {
  readonly guilds: GuildReader;
  /** As they were at a position that they hold. */
  guildsAt(position: number): GuildReader;
  readonly audiences: AudienceReader;
  readonly snapshots: SnapshotReader;
}

export interface ViewKinds {
  readonly 'guild-views': ViewKind<GuildViewReaders>;
  readonly timelines: ViewKind<TimelineReader>;
  readonly unread: ViewKind<UnreadRows>;
}

export const VIEWS: readonly ViewName[] = ['guild-views', 'timelines', 'unread'];

/** The servers' connections are shared by all generations, so nothing is left to close with one. */
const left = async () => {};

/** Each opens the servers that it needs itself, and no others. */
export const kindOf: { readonly [V in ViewName]: (connections: Connections) => Promise<ViewKinds[V]> } = {
  'guild-views': async (connections) => {
    const { partitions } = connections.config.cluster;
    const [postgres, log] = await Promise.all([connections.views(), connections.log()]);
    return {
      name: 'guild-views',
      prepare: (generation) => prepareGeneration(postgres, generation),
      open: async (generation) => {
        const { store, ...readers } = openPostgresViews({ client: postgres, generation, partitions, foldOf, log });
        return { readers, store, close: left };
      },
    };
  },
  timelines: async (connections) => {
    const { partitions } = connections.config.cluster;
    const cassandra = await connections.cassandra();
    return {
      name: 'timelines',
      prepare: (generation) => createGeneration(cassandra, generation),
      open: async (generation) => {
        const { reader, store } = openCassandraTimelines({ client: cassandra, generation, partitions });
        return { readers: reader, store, close: left };
      },
    };
  },
  unread: async (connections) => {
    const { partitions, namespace } = connections.config.cluster;
    const [redis, log] = await Promise.all([connections.redis(), connections.log()]);
    return {
      name: 'unread',
      prepare: left,
      open: async (generation) => {
        const place = { namespace, generation, partitions };
        const { rows, store } = openRedisUnread({ redis, logHead: () => log.head(), ...place });
        return { readers: rows, store, close: left };
      },
    };
  },
};

const kindsOn = async (connections: Connections): Promise<ViewKinds> => {
  const [guildViews, timelines, unread] = await Promise.all([
    kindOf['guild-views'](connections),
    kindOf.timelines(connections),
    kindOf.unread(connections),
  ]);
  return { 'guild-views': guildViews, timelines, unread };
};

/** With the generations that are read made where they are missing. */
export const viewKinds = async (connections: Connections): Promise<ViewKinds> => {
  const kinds = await kindsOn(connections);
  const checkpoints = await connections.checkpoints();
  await alone(connections.agreements, `${connections.config.cluster.namespace} schema`, async () => {
    for (const kind of Object.values(kinds)) await kind.prepare(await generationOf(checkpoints, kind.name));
  });
  return kinds;
};
