/** One at a time, by an advisory lock that lasts as long as its connection: a killed holder gives it up at once. */

import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Leadership } from '../port.ts';

/** Of Parley's advisory locks: leaderships, by name. */
const LOCKS = 0x50524d;
const TRY_MS = 500;
const CONNECT_MS = 3000;
/** A holder whose machine vanished without a word loses its lock after four seconds. */
const NOTICED = 'SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 2';

interface LeadershipOptions {
  readonly url: string;
  readonly name: string;
  readonly onGained: () => Promise<void>;
  /** The lock may be another's by now. */
  readonly onLost: () => Promise<void>;
}

export const seekLeadership = ({ url, name, onGained, onLost }: LeadershipOptions): Leadership => {
  const stopping = new AbortController();
  const { signal } = stopping;
  // From the beginning: it may be stopped while it is told that it leads.
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  let leading = false;

  const hold = async (client: Client, lost: Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      const { rows } = await client.query<{ gained: boolean }>(
        'SELECT pg_try_advisory_lock($1, hashtext($2)) AS gained',
        [LOCKS, name],
      );
      if (rows[0]!.gained) break;
      await Promise.race([lost, delay(TRY_MS, undefined, { signal })]);
    }
    if (signal.aborted) return;
    leading = true;
    try {
      await onGained();
      await Promise.race([lost, stopped]);
    } finally {
      leading = false;
      await onLost();
    }
  };

  const seek = async (): Promise<void> => {
    while (!signal.aborted) {
      const client = new Client({
        connectionString: url,
        connectionTimeoutMillis: CONNECT_MS,
        keepAlive: true,
        keepAliveInitialDelayMillis: 1000,
        application_name: `parley ${name}`,
      });
      const lost = new Promise<void>((resolve) => {
        client.on('error', () => resolve());
        client.on('end', () => resolve());
      });
      try {
        await client.connect();
        await client.query(NOTICED);
        await hold(client, lost);
      } catch {
        // The vault is gone, or the connection: another try.
      }
      await client.end().catch(() => {});
      if (!signal.aborted) await delay(TRY_MS, undefined, { signal }).catch(() => {});
    }
  };

  const sought = seek();
  return {
    get leading() {
      return leading;
    },
    async stop() {
      stopping.abort();
      await sought;
    },
  };
};

// Work that one process of the installation does at a time.

/**
 * Runs `work` while nobody else runs work of the same name.
 * @param url of the vault's database
 */
export const alone = async (url: string, name: string, work: () => Promise<void>): Promise<void> => {
  let settle: (outcome: Promise<void>) => void = () => {};
  const done = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const leadership = seekLeadership({
    url,
    name,
    onGained: async () => {
      const working = work();
      settle(working);
      await working.catch(() => {});
    },
    onLost: async () => {},
  });
  try {
    await done;
  } finally {
    await leadership.stop();
  }
};
