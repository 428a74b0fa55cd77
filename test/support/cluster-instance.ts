/** The cluster profile behind one address, so that suites of the embedded profile run on it unchanged. */

import { ROLES } from '../../schemas/settings.ts';
import { Api } from './api.ts';
import { type ClusterOptions, startCluster } from './cluster.ts';
import { startFront } from './front.ts';
import type { Instance } from './instance.ts';
import { LIMITS_OFF, type Server } from './server.ts';

const ALL = ROLES.join(',');
const NODES = ['one', 'other'] as const;

/** Several servers as one: it is alive while all are, and ends when all have ended. */
const asOne = (url: string, servers: readonly Server[]): Pick<Server, 'url' | 'alive' | 'kill'> => ({
  url,
  alive: () => servers.every((server) => server.alive()),
  kill: async () => {
    await Promise.all(servers.map((server) => server.kill()));
  },
});

/** Two nodes with every role. Connections alternate between them, so that nothing may depend on the node. */
export const startClusterInstance = async (
  env: Readonly<Record<string, string>> = LIMITS_OFF,
  options: Pick<ClusterOptions<(typeof NODES)[number]>, 'namespace'> = {},
): Promise<Instance> => {
  const front = await startFront();
  const cluster = await startCluster({
    processes: { one: ALL, other: ALL },
    env: { ...env, PARLEY_PUBLIC_URL: front.url },
    ...options,
  }).catch(async (error) => {
    await front.close();
    throw error;
  });
  const servers = () => NODES.map((name) => cluster.process(name));
  const forward = () => front.forwardTo(...servers().map(({ port }) => port));
  forward();
  const start = async () => {
    front.hold();
    await Promise.all(NODES.map((name) => cluster.start(name)));
    forward();
  };
  return {
    url: front.url,
    api: new Api(front.url),
    server: () => asOne(front.url, servers()),
    start,
    restart: async () => {
      await Promise.all(NODES.map((name) => cluster.kill(name)));
      await start();
    },
    close: async () => {
      await cluster.close();
      await front.close();
    },
  };
};
