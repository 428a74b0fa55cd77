/** The source or target of an archive: a log and its vault, in either profile, without anything on top. */

import { claimVault } from '../../coordination/postgres/claim.ts';
import type { EventLog, LogReader } from '../../log/port.ts';
import { openPostgresEventLog } from '../../log/postgres/event-log.ts';
import { openSqliteLogReader } from '../../log/sqlite/log-reader.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { ClusterConfig, Config } from '../../schemas/settings.ts';
import type { Vault } from '../../vault/port.ts';
import { openPostgresVault } from '../../vault/postgres/vault.ts';
import { addressOf } from '../cluster/places.ts';
import { reach, type Say } from '../cluster/reach.ts';
import { openFolder } from '../embedded/folder.ts';
import { Opened } from '../opened.ts';

export interface ArchiveStore<Log extends LogReader = EventLog> {
  readonly log: Log;
  readonly vault: Vault;
  close(): Promise<void>;
}

const onServers = async (cluster: ClusterConfig, say: Say, own: (url: string) => string): Promise<ArchiveStore> => {
  const [logPlace, vaultPlace] = [addressOf('log', cluster), addressOf('vault', cluster)];
  const openLog = {
    postgres: () => openPostgresEventLog({ clock: systemClock, url: own(logPlace.url) }),
    kurrentdb: async () =>
      (await import('../../log/kurrentdb/event-log.ts')).openKurrentEventLog({
        clock: systemClock,
        url: logPlace.url,
        maxAppendBytes: cluster.logMaxAppendBytes,
      }),
  }[cluster.log];
  const openVault = () => openPostgresVault({ url: own(vaultPlace.url) });
  const opened = new Opened();
  try {
    const log = opened.add(await reach(logPlace, openLog, say, systemClock), (one) => one.close());
    const vault = opened.add(await reach(vaultPlace, openVault, say, systemClock), (one) => one.close());
    return { log, vault, close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
};

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
