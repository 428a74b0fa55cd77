/** Parley as processes of the cluster profile, with guilds in it. Everything is removed afterwards. */
import { Api, type Channel, someName } from '../../test/support/api.ts';
import { type Cluster, startCluster } from '../../test/support/cluster.ts';
import { metricsOf } from './metrics.ts';
import { BENCH_ENV } from './place.ts';
import { seedPeople } from './seed.ts';
import { withClusterStores } from './stores.ts';

/** The profile's default. Tests use another. */
const PARTITIONS = '8';
const CAUGHT_UP_MS = 60_000;
const LOOK_MS = 100;

export interface ClusterGuild {
  readonly id: string;
  /** Includes the channel that every guild starts with. */
  readonly channels: readonly Channel[];
  /** A token for each member other than the owner. */
  readonly people: readonly string[];
}

export interface ClusterPlace<Name extends string> {
  readonly cluster: Cluster<Name>;
  readonly owner: { readonly token: string };
  readonly guilds: readonly ClusterGuild[];
  /** Resolves when this process knows that every view holds all that is in the log now. */
  caughtUp(name: Name): Promise<void>;
}

export interface ClusterPlaceOptions<Name extends string> {
  /** Roles by name of the process. */
  readonly processes: Readonly<Record<Name, string>>;
  /** A process with the role `api`. */
  readonly api: NoInfer<Name>;
  readonly guilds: number;
  readonly channels: number;
  /** Members of each guild other than the owner. Nobody is in two guilds. */
  readonly people: number;
}

export const withClusterPlace = async <Name extends string, T>(
  options: ClusterPlaceOptions<Name>,
  measure: (place: ClusterPlace<Name>) => Promise<T>,
): Promise<T> => {
  const { processes, api: apiName, guilds: count, channels, people } = options;
  const cluster = await startCluster({ processes, env: { ...BENCH_ENV, PARLEY_PARTITIONS: PARTITIONS } });
  const caughtUp = (name: Name): Promise<void> =>
    withClusterStores(cluster.namespace, async ({ log }) => {
      const head = await log.head();
      const deadline = Date.now() + CAUGHT_UP_MS;
      for (;;) {
        const positions = (await metricsOf(cluster.process(name).url)).all('parley_view_position');
        if (positions.length > 0 && Math.min(...positions) >= head) return;
        if (Date.now() > deadline) throw new Error(`the views are at ${positions.join(', ')}, the log at ${head}`);
        await new Promise((again) => setTimeout(again, LOOK_MS));
      }
    });
  try {
    const { url } = cluster.process(apiName);
    const owner = await new Api(url).register(someName('owner'));
    const api = new Api(url, owner);
    const guilds: ClusterGuild[] = [];
    for (let i = 0; i < count; i += 1) {
      const { id, channel } = await api.createGuild(`Bench ${i}`);
      const all = [channel];
      while (all.length < channels) all.push(await api.createChannel(id, { name: `channel-${all.length}` }));
      const tokens = await withClusterStores(cluster.namespace, (stores) =>
        seedPeople(stores, [id], people, i * people),
      );
      guilds.push({ id, channels: all, people: tokens });
    }
    for (const name of Object.keys(processes) as Name[]) if (/gateway|api/.test(processes[name])) await caughtUp(name);
    return await measure({ cluster, owner, guilds, caughtUp });
  } finally {
    await cluster.close();
  }
};
