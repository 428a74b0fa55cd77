/** The cluster profile as a process: the roles it was given, with the edges they need. */
import type { Role } from '../../schemas/config.ts';
import { apiRoutes, type EdgeOptions, gatewayEdge, httpEdge, listen } from '../edges.ts';
import type { Server } from '../server.ts';
import { Connections, type Say } from './connections.ts';
import { standForFinisher } from './finisher.ts';
import { Lookout } from './lookout.ts';
import { type Node, openNode } from './node.ts';
import { startProjector } from './projector.ts';
import { standForRelay } from './relay.ts';

export interface ClusterServerOptions extends EdgeOptions {
  readonly say: Say;
  /** Told once when the process cannot go on and should end. */
  readonly onFailure: (error: unknown) => void;
}

const serves = (roles: readonly Role[]): boolean => roles.includes('gateway') || roles.includes('api');

/** What clients are answered with: everything but the operations only where this process has the roles for it. */
const openEdges = async (
  options: ClusterServerOptions,
  node: Node | undefined,
  reasons: () => string[],
): Promise<Pick<Server, 'url' | 'stop'>> => {
  const { config } = options;
  const { roles } = config.cluster;
  const routes = node !== undefined && roles.includes('api') ? apiRoutes(config, node.api) : [];
  const http = httpEdge(options, node?.api, routes, reasons);
  const gateway =
    node !== undefined && roles.includes('gateway')
      ? await gatewayEdge(options, node.gateway, http, node.shared)
      : undefined;
  if (node !== undefined && gateway !== undefined) {
    node.listenForTyping(gateway);
    node.delivered.onBatch((events, through) => gateway.deliver(events, through));
  }
  await node?.start();
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

/** Waits for the servers that its roles need, and says so. */
export const startClusterServer = async (options: ClusterServerOptions): Promise<Server> => {
  const { config, metrics, say, onFailure } = options;
  const { roles } = config.cluster;
  const connections = new Connections(options, say);
  const { opened } = connections;
  let draining = false;
  try {
    const log = await connections.log();
    const firstStart = (await log.head()) === 0;
    const lookout = opened.add(new Lookout(log, metrics), (one) => one.stop());
    const node = serves(roles) ? await openNode(connections, options, onFailure) : undefined;
    if (node !== undefined) {
      for (const [view, progress] of Object.entries(node.reads.progress)) lookout.watch(view, progress);
      lookout.watch('delivery', node.delivered);
      await standForFinisher(connections, options, { log, write: node.api.write });
    }
    const edges = await openEdges(options, node, () => [
      ...(draining ? ['draining: this server is stopping'] : []),
      ...lookout.reasons(),
    ]);
    // Last, since they serve those who are served here too.
    if (roles.includes('relay')) await standForRelay(connections, options, onFailure);
    if (roles.includes('projector')) await startProjector(connections, options, onFailure);
    return {
      url: edges.url,
      firstStart,
      async stop() {
        draining = true;
        await edges.stop();
        await opened.close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
};
