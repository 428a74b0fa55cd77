/** Opens the log and the vault of either profile for seeding. */

import type { EventLog } from '../../log/port.ts';
import { openPostgresEventLog } from '../../log/postgres/event-log.ts';
import { openSqliteEventLog } from '../../log/sqlite/event-log.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { Namespace } from '../../test/support/namespace.ts';
import type { Vault } from '../../vault/port.ts';
import { openPostgresVault } from '../../vault/postgres/vault.ts';
import { openSqliteVault } from '../../vault/sqlite/vault.ts';

export interface OpenStores {
  readonly log: EventLog;
  readonly vault: Vault;
}

const used = async <T>({ log, vault }: OpenStores, work: (stores: OpenStores) => Promise<T>): Promise<T> => {
  try {
    return await work({ log, vault });
  } finally {
    await log.close();
    await vault.close();
  }
};

/** Opens a data folder. The server must be stopped. */
export const withStores = async <T>(data: string, work: (stores: OpenStores) => Promise<T>): Promise<T> =>
  used(
    {
      log: await openSqliteEventLog({ clock: systemClock, directory: data }),
      vault: await openSqliteVault({ directory: data }),
    },
    work,
  );

/** Opens a cluster, which may be running. */
export const withClusterStores = async <T>({ env }: Namespace, work: (stores: OpenStores) => Promise<T>): Promise<T> =>
  used(
    {
      log: await openPostgresEventLog({ clock: systemClock, url: env.PARLEY_LOG_URL! }),
      vault: await openPostgresVault({ url: env.PARLEY_VAULT_URL! }),
    },
    work,
  );
