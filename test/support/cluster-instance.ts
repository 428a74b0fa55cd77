/** The cluster profile as one process with every role: what suites of the embedded profile run on unchanged. */
import { ROLES } from '../../schemas/config.ts';
import { Api } from './api.ts';
import { startCluster } from './cluster.ts';
import type { Instance, StartInstance } from './instance.ts';
import { LIMITS_OFF } from './server.ts';

export const startClusterInstance: StartInstance = async (env = LIMITS_OFF): Promise<Instance> => {
  const cluster = await startCluster({ processes: { all: ROLES.join(',') }, env });
  const start = async () => {
    await cluster.start('all');
    return cluster.process('all');
  };
  return {
    url: cluster.url('all'),
    api: new Api(cluster.url('all')),
    server: () => cluster.process('all'),
    start,
    restart: async () => {
      await cluster.kill('all');
      return start();
    },
    close: cluster.close,
  };
};
