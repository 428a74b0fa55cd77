/** The source or target of an archive: a log and its vault, in either profile, without anything on top. */

import { claimVault } from '../../coordination/postgres/claim.ts';
import type { EventLog, LogReader } from '../../log/port.ts';
import { openPostgresEventLog } from '../../log/postgres/event-log.ts';
import { openSqliteLogReader } from '../../log/sqlite/event-log.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { ClusterConfig, Config } from '../../schemas/config.ts';
import type { Vault } from '../../vault/port.ts';
import { openPostgresVault } from '../../vault/postgres/vault.ts';
import { reach } from '../cluster/connections.ts';
import { openFolder } from '../embedded/folder.ts';

export interface ArchiveStore<Log extends LogReader = EventLog> {
  readonly log: Log;
  readonly vault: Vault;
  close(): Promise<void>;
}

/** Reports to people what the command is waiting for. */
type Say = (line: string) => void;

/** Closes in reverse order of opening, also when a later part cannot be opened. */
const opening = async <P extends LogReader>(
  open: (closing: (() => Promise<void>)[]) => Promise<Omit<ArchiveStore<P>, 'close'>>,
): Promise<ArchiveStore<P>> => {
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const one of closing.splice(0).reverse()) await one();
  };
  try {
    return { ...(await open(closing)), close };
  } catch (error) {
    await close();
    throw error;
  }
};

const onServers = (cluster: ClusterConfig, say: Say, own: (url: string) => string): Promise<ArchiveStore> =>
  opening(async (closing) => {
    // The configuration of a cluster is refused without these.
    const [logUrl, vaultUrl] = [cluster.logUrl!, cluster.vaultUrl!];
    const logPlace = { name: 'The event log', variable: 'PARLEY_LOG_URL', url: logUrl };
    const openLog = {
      postgres: () => openPostgresEventLog({ clock: systemClock, url: own(logUrl) }),
      kurrentdb: async () =>
        (await import('../../log/kurrentdb/event-log.ts')).openKurrentEventLog({ clock: systemClock, url: logUrl }),
    }[cluster.log];
    const log = await reach(logPlace, openLog, say, systemClock);
    closing.push(() => log.close());
    const vaultPlace = { name: 'The vault', variable: 'PARLEY_VAULT_URL', url: vaultUrl };
    const vault = await reach(vaultPlace, () => openPostgresVault({ url: own(vaultUrl) }), say, systemClock);
    closing.push(() => vault.close());
    return { log, vault };
  });

/** Opens for reading. A cluster may keep running. @throws DirectoryInUse, or UnusableLog if there is no log */
export const openSource = async ({ profile, data, cluster }: Config, say: Say): Promise<ArchiveStore<LogReader>> => {
  if (profile === 'cluster') return onServers(cluster, say, (url) => url);
  // Reports a missing log. Opening it for writing would create one.
  await (await openSqliteLogReader({ clock: systemClock, directory: data })).close();
  return openFolder({ directory: data, clock: systemClock, say });
};

/** Opens for writing, exclusively. @throws DirectoryInUse, VaultInUse */
export const openTarget = async ({ profile, data, cluster }: Config, say: Say): Promise<ArchiveStore> => {
  if (profile === 'embedded') return openFolder({ directory: data, clock: systemClock, say });
  const claim = claimVault(cluster.vaultUrl!, systemClock);
  const place = await onServers(cluster, say, claim.own);
  const close = async () => {
    await place.close();
    await claim.release();
  };
  try {
    await claim.take();
    return { ...place, close };
  } catch (error) {
    await close();
    throw error;
  }
};
