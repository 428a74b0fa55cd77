import { tracingSuite } from './suites/tracing.ts';
import { startCluster } from './support/cluster.ts';
import { LIMITS_OFF } from './support/server.ts';

tracingSuite({
  start: async (env) => {
    const cluster = await startCluster({
      processes: { sender: 'gateway,api', receiver: 'gateway', relay: 'relay', projector: 'projector' },
      env: { ...LIMITS_OFF, ...env },
    });
    return { sender: cluster.url('sender'), receiver: cluster.url('receiver'), close: () => cluster.close() };
  },
  behind: [
    'relay relay',
    ...['guild-views', 'timelines', 'unread', 'delivery'].map((view) => `project ${view}`),
    'deliver gateway,api',
    'deliver gateway',
  ],
});
