/** The relay role: one process copies the log into the distribution log, the others stand by. */
import { startRelay } from '../../projections/relay/kafka/index.ts';
import type { Relay } from '../../projections/relay/port.ts';
import type { Leadership } from '../../vault/leases-port.ts';
import { seekLeadership } from '../../vault/postgres/index.ts';
import type { EdgeOptions } from '../edges.ts';
import type { Connections } from './connections.ts';

/** @param onFailure told once when the process must end: the distribution log is not what the configuration says */
export const standForRelay = async (
  connections: Connections,
  { config, metrics, logger }: EdgeOptions,
  onFailure: (error: unknown) => void,
): Promise<Leadership> => {
  const [log, checkpoints, distribution] = await Promise.all([
    connections.log(),
    connections.checkpoints(),
    connections.distribution(),
  ]);
  let relay: Relay | undefined;
  const leadership = seekLeadership({
    url: connections.agreements,
    name: `${config.cluster.namespace} relay`,
    onGained: async () => {
      logger.info({}, 'this process is the relay');
      relay = startRelay({
        ...{ ...distribution, log, checkpoints, logger, onFailure },
        onRelayed: (events) => metrics.relayed.inc(events),
      });
    },
    onLost: async () => {
      await relay?.stop();
      relay = undefined;
    },
  });
  return connections.opened.add(leadership, (one) => one.stop());
};
