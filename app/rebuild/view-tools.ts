/** What there is to do with the generations of a view, apart from reading and writing them: list, drop, compare. */
import type { ViewName } from '../../projections/port.ts';
import * as guildViews from '../../projections/postgres/index.ts';
import * as timelines from '../../projections/timelines/cassandra/index.ts';
import * as unread from '../../projections/unread/redis/index.ts';
import { alone } from '../cluster/alone.ts';
import type { Connections } from '../cluster/connections.ts';
import type { ViewKind } from '../cluster/switched-view.ts';
import { kindOf } from '../cluster/view-kinds.ts';
import { type Comparison, compare, compareClosely, howSumsDiffer, type Summed } from './comparing.ts';

export interface ViewTools {
  readonly kind: ViewKind<unknown>;
  /** All that are there, complete or not, oldest first. */
  generations(): Promise<readonly number[]>;
  /** Nobody may write or read it any more. */
  drop(generation: number): Promise<void>;
  /**
   * @param follow brings what was built to where the one that is read is now.
   * @param lowest position that both have reached in every partition, once `follow` has resolved
   */
  compare(read: number, built: number, follow: () => Promise<void>, lowest: () => number): Promise<Comparison>;
}

/** Named of a channel that differs. */
const MOST_MESSAGES = 10;

async function* named<S>(sums: AsyncIterable<S>, nameOf: (sum: S) => string): AsyncGenerator<[string, S]> {
  for await (const sum of sums) yield [nameOf(sum), sum];
}

const ofGuildViews = async (connections: Connections): Promise<ViewTools> => {
  const kind = await kindOf['guild-views'](connections);
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
    // As they were at one position: nothing has to be found at rest.
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
  const kind = await kindOf.timelines(connections);
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
    generations: () => timelines.listGenerations(cassandra),
    drop: (generation) => timelines.dropGeneration(cassandra, generation),
    compare: (read, built, follow) =>
      compareClosely(summed(read), summed(built), follow, (thing) => closely(thing, read, built)),
  };
};

const ofUnread = async (connections: Connections): Promise<ViewTools> => {
  const kind = await kindOf.unread(connections);
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
    compare: (read, built, follow) => compare(summed(read), summed(built), follow),
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
    alone(connections.agreements, `${namespace} schema`, () => tools.kind.prepare(generation));
  return { ...tools, kind: { ...tools.kind, prepare } };
};
