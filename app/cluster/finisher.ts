/** What one of the nodes does for all: it finishes what dead ones left undone, and tells the vault how far the log has got. */
import type { WriteSide } from '../../commands/index.ts';
import { Leftovers } from '../../commands/processes/leftovers.ts';
import type { EventLog } from '../../log/port.ts';
import { seekLeadership } from '../../vault/postgres/index.ts';
import type { EdgeOptions } from '../edges.ts';
import type { Connections } from './connections.ts';

const REMEMBER_MS = 1000;

export const standForFinisher = async (
  connections: Connections,
  { config, logger }: EdgeOptions,
  { log, write }: { readonly log: EventLog; readonly write: WriteSide },
): Promise<void> => {
  const [vault, checkpoints] = await Promise.all([connections.vault(), connections.checkpoints()]);
  let leftovers: Leftovers | undefined;
  let timer: NodeJS.Timeout | undefined;
  const remember = async (): Promise<void> => {
    // Log or vault are gone: it is told when they are back.
    await log.head().then(
      (head) => vault.rememberPosition(log.epoch, head),
      () => {},
    );
  };
  const leadership = seekLeadership({
    url: connections.agreements,
    name: `${config.cluster.namespace} finisher`,
    onGained: async () => {
      leftovers = new Leftovers({ log, processes: write.processes, checkpoints, logger, now: Date.now });
      leftovers.start();
      timer = setInterval(() => void remember().catch(() => {}), REMEMBER_MS).unref();
    },
    onLost: async () => {
      clearInterval(timer);
      await leftovers?.stop();
    },
  });
  connections.opened.add(leadership, (one) => one.stop());
};
