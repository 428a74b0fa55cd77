/** Exclusive use of the vault: changes to the whole history run only while no process of the cluster does. */

import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import type { Clock } from '../../schemas/clock.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { connectTo } from '../../stores/postgres/connection.ts';
import { LOCKS } from '../../stores/postgres/locks.ts';

const { goneMs, lookMs } = BUDGETS.claim;

class VaultInUse extends Error {}

interface VaultClaim {
  /** Marks a URL of the same server for the claimant's own connections. */
  own(url: string): string;
  /**
   * Call this when the claimant has opened all it needs. Processes that start after it wait until `release`.
   * @throws VaultInUse when another process has the vault open
   */
  take(): Promise<void>;
  release(): Promise<void>;
}

interface Other {
  readonly address: string | null;
}

/**
 * Every process of a cluster, whatever its roles, keeps open connections to the vault's database, named after Parley.
 */
const OTHERS = `SELECT DISTINCT host(client_addr) AS address FROM pg_stat_activity
  WHERE datname = current_database() AND application_name LIKE 'parley%' AND application_name <> $1`;

const TRY_LOCK = 'SELECT pg_try_advisory_lock($1, $2) AS locked';

/** @param url of the vault's database */
export const claimVault = (url: string, clock: Clock): VaultClaim => {
  const name = `parley claim ${randomBytes(6).toString('hex')}`;
  const own = (one: string): string =>
    `${one}${one.includes('?') ? '&' : '?'}application_name=${encodeURIComponent(name)}`;
  let client: Client | undefined;
  return {
    own,
    async take() {
      // A broken connection releases the lock; sequences then reveal any append made meanwhile.
      const connection = await connectTo(own(url), 'vault', () => {});
      client = connection;
      const patiently = async <T>(ask: () => Promise<T>, isEnough: (answer: T) => boolean): Promise<T> => {
        const until = clock.monotonic() + goneMs;
        let answer = await ask();
        while (!isEnough(answer) && clock.monotonic() < until) {
          await clock.delay(lookMs);
          answer = await ask();
        }
        return answer;
      };
      const locked = await patiently(
        async () => (await connection.query<{ locked: boolean }>(TRY_LOCK, [...LOCKS.vault])).rows[0]!.locked,
        (answer) => answer,
      );
      if (!locked)
        throw new VaultInUse('another process changes this vault or creates its tables: wait until it has ended');
      const rows = await patiently(
        async () => (await connection.query<Other>(OTHERS, [name])).rows,
        (others) => others.length === 0,
      );
      if (rows.length === 0) return;
      const who = rows.map(({ address }) => address ?? 'the machine of its server').join(', ');
      throw new VaultInUse(`other processes of Parley use this vault (from ${who}): stop all of them first`);
    },
    async release() {
      await client?.end();
    },
  };
};
