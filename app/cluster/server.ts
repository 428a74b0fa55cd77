/** The cluster profile as a process: its roles, with the edges they need. */

import { answerWhileStarting, type Starting } from '../../http/starting.ts';
import type { ViewName } from '../../projections/engine/port.ts';
import type { Role } from '../../schemas/settings.ts';
import { apiRoutes, type EdgeOptions, gatewayEdge, httpEdge, listen, type Readiness, type Server } from '../edges.ts';
import { LATE } from '../lag.ts';
import { Connections } from './connections.ts';
import { FollowedHere } from './followed.ts';
import { DELIVERY, Lookout } from './lookout.ts';
import { type Node, openNode } from './node.ts';
import type { PlaceName } from './places.ts';
import type { Say } from './reach.ts';
import { standForFinisher, standForRelay, startProjector } from './roles.ts';

export interface ClusterServerOptions extends EdgeOptions {
  readonly say: Say;
  /** Called once when the process cannot go on and should end. */
  readonly onFailure: (error: unknown) => void;
}

const serves = (roles: readonly Role[]): boolean => roles.includes('gateway') || roles.includes('api');

/** The routes for clients: only operations, unless this process has the roles for more. */
const openEdges = async (
  options: ClusterServerOptions,
  node: Node | undefined,
  waiting: Starting,
  readiness: () => Readiness,
): Promise<Pick<Server, 'url' | 'stop'>> => {
  const { config } = options;
  const { roles } = config.cluster;
  const routes = node !== undefined && roles.includes('api') ? apiRoutes(options, node.api) : [];
  const http = httpEdge(options, node?.api, routes, readiness);
  const gateway =
    node !== undefined && roles.includes('gateway')
      ? await gatewayEdge(options, node.gateway, http, node.shared)
      : undefined;
  if (node !== undefined && gateway !== undefined) {
    node.listenForSignals(gateway);
    node.delivered.onBatch((events, through) => gateway.deliver(events, through));
  }
  await node?.start();
  await waiting.close();
  const url = await listen(http, config);
  return {
    url,
    async stop() {
      await gateway?.drain(config.drainMs);
      await http.close();
      await gateway?.close();
    },
  };
};

const NEEDED: Readonly<Record<Role, readonly PlaceName[]>> = {
  gateway: ['log', 'vault', 'views', 'redis', 'cassandra'],
  api: ['log', 'vault', 'views', 'redis', 'cassandra'],
  relay: ['log', 'vault', 'kafka'],
  projector: ['log', 'vault', 'kafka', 'views', 'redis', 'cassandra'],
};

/** Waits for the servers that its roles need, reports it, and meanwhile answers that it is alive and not ready. */
export const startClusterServer = async (options: ClusterServerOptions): Promise<Server> => {
  const { config, metrics, clock, say, onFailure } = options;
  const { roles } = config.cluster;
  const failed = new AbortController();
  const connections = new Connections(options, say, failed.signal);
  const { opened } = connections;
  let draining = false;
  const waiting = await answerWhileStarting(config, () => connections.waitingFor());
  try {
    await connections.reachAll([...new Set(roles.flatMap((role) => NEEDED[role]))]);
    const log = await connections.log();
    const followed = new FollowedHere(metrics, clock);
    const watch = connections.watch('log');
    const lookout = opened.add(new Lookout(log, metrics, clock, watch, followed), (one) => one.stop());
    const node = serves(roles) ? await openNode(connections, options, onFailure) : undefined;
    if (node !== undefined) {
      for (const [view, progress] of Object.entries(node.reads.progress))
        lookout.add(view, progress, () => node.reads.look(view as ViewName));
      lookout.add(DELIVERY, node.delivered);
      await standForFinisher(connections, options, { log, write: node.api.write });
    }
    const edges = await openEdges(options, node, waiting, () => {
      // Whoever serves clients does not depend on what this process follows: another may follow it.
      const followedLate = followed.reasons(LATE);
      const rightsKnown = node === undefined || node.reads.recent.complete;
      return {
        reasons: [
          ...(draining ? ['draining: this server is stopping'] : []),
          ...(rightsKnown ? [] : ['guild-views: too far behind the log for rights to be known']),
          ...lookout.reasons(),
          ...(node === undefined ? followedLate : []),
        ],
        degraded: [...connections.outages.states(), ...lookout.degraded(), ...(node === undefined ? [] : followedLate)],
      };
    });
    // Started last, because these roles also serve the clients of this process.
    if (roles.includes('relay')) await standForRelay(connections, options, onFailure);
    if (roles.includes('projector')) await startProjector(connections, options, followed, onFailure);
    return {
      url: edges.url,
      setupCode: await node?.api.write.identity.setupCode(),
      async stop() {
        draining = true;
        await edges.stop();
        await opened.close();
      },
    };
  } catch (error) {
    failed.abort();
    await waiting.close();
    await opened.close();
    throw error;
  }
};
