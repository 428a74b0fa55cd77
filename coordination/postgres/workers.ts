/** Worker ids of snowflakes, leased: two processes never make ids of one worker at the same time. */

import { randomUUID } from 'node:crypto';
import type { Worker } from '../../domain/snowflake.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { Postgres } from '../../stores/postgres/connection.ts';
import { prepare } from '../../vault/postgres/vault.ts';
import type { WorkerLease } from '../port.ts';

const WORKERS = 1024;

interface LeaseTimes {
  /** Milliseconds a lease lasts by the server's clock. */
  readonly leaseMs: number;
  /** Milliseconds between renewals. */
  readonly renewMs: number;
}

/** A process that loses the vault goes on for 20 s at most; a worker of a dead one is free after 30 s. */
const LEASE: LeaseTimes = { leaseMs: 30_000, renewMs: 5_000 };

export class NoWorkerLeft extends Error {}

/**
 * @throws NoWorkerLeft when all 1,024 are taken
 * @throws StoreUnavailable when the vault cannot be asked
 */
export const leaseWorker = async (url: string, times: LeaseTimes = LEASE): Promise<WorkerLease> => {
  const database = new Postgres('vault', { url });
  const holder = randomUUID();
  const until = `now() + ${times.leaseMs} * interval '1 millisecond'`;
  let id: number;
  let validUntil: number;
  // By this process's clock from before it asked, and a third less than was granted: whatever the way there took.
  const grant = (asked: number) => asked + (times.leaseMs * 2) / 3;
  try {
    await prepare(database);
    const asked = performance.now();
    const [row] = await database.rows<[number]>(
      `INSERT INTO workers SELECT w.id, $1, ${until} FROM generate_series(0, ${WORKERS - 1}) w(id)
         LEFT JOIN workers taken ON taken.id = w.id WHERE taken.id IS NULL OR taken.until < now()
         ORDER BY random() LIMIT 1
       ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE workers.until < now()
       RETURNING id`,
      [holder],
    );
    if (row === undefined) throw new NoWorkerLeft(`All ${WORKERS} worker ids are taken: stop a process, or wait 30 s.`);
    [id] = row;
    validUntil = grant(asked);
  } catch (error) {
    await database.close();
    throw error;
  }
  const renew = async () => {
    const asked = performance.now();
    const renewed = await database.rows(
      `UPDATE workers SET until = ${until} WHERE id = $1 AND holder = $2 AND until > now() RETURNING id`,
      [id, holder],
    );
    if (renewed.length > 0) validUntil = grant(asked);
  };
  const clock = setInterval(() => void renew().catch(() => {}), times.renewMs).unref();
  return {
    id,
    valid: () => performance.now() < validUntil,
    async release() {
      clearInterval(clock);
      validUntil = 0;
      // Where the vault is gone the lease ends by itself.
      await database.rows('DELETE FROM workers WHERE id = $1 AND holder = $2', [id, holder]).catch(() => {});
      await database.close();
    },
  };
};

/** This process's share of the ids: a leased worker, and another one once the lease is lost. */
const RETRY_SECONDS = 2;

interface LeasedWorker {
  /** @throws StoreUnavailable while no lease is held: no id may be made then */
  readonly worker: Worker;
  release(): Promise<void>;
}

/** @param url of the vault's database */
export const leasedWorker = async (url: string): Promise<LeasedWorker> => {
  let lease = await leaseWorker(url);
  let replacing: Promise<void> | undefined;
  const replace = async (): Promise<void> => {
    try {
      const next = await leaseWorker(url);
      await lease.release();
      lease = next;
    } catch {
      // The vault is still gone; whoever asks next tries again.
    }
    replacing = undefined;
  };
  return {
    worker: () => {
      if (lease.valid()) return lease.id;
      replacing ??= replace();
      throw new StoreUnavailable('worker ids', RETRY_SECONDS);
    },
    async release() {
      await replacing;
      await lease.release();
    },
  };
};
