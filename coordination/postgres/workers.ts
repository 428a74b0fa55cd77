/** Worker ids leased in PostgreSQL, whose clock decides when leases end. */

import { randomUUID } from 'node:crypto';
import type { Clock } from '../../schemas/clock.ts';
import { Postgres } from '../../stores/postgres/connection.ts';
import { migrate } from '../../stores/postgres/migrations.ts';
import { type Grants, Lease, type LeaseTimes, WORKER_LEASE } from '../lease.ts';
import { NoWorkerLeft, type Workers } from '../port.ts';
import { COORDINATION_MIGRATIONS } from './migrations.ts';

const UNTIL = "now() + $2 * interval '1 millisecond'";

/** $3: number of workers. Random order, so processes that ask together seldom want the same one. */
const TAKE = `INSERT INTO workers SELECT w.id, $1, ${UNTIL} FROM generate_series(0, $3::integer - 1) w(id)
    LEFT JOIN workers taken ON taken.id = w.id WHERE taken.id IS NULL OR taken.until < now()
    ORDER BY random() LIMIT 1
  ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE workers.until < now()
  RETURNING id`;
const RENEW = `UPDATE workers SET until = ${UNTIL} WHERE id = $3 AND holder = $1 AND until > now() RETURNING id`;
const RELEASE = 'DELETE FROM workers WHERE id = $2 AND holder = $1';

export interface WorkersOptions {
  /** URL of the vault's database. */
  readonly url: string;
  /** Number of workers. */
  readonly workers: number;
  readonly times?: LeaseTimes;
  readonly clock: Clock;
}

export const openWorkers = ({
  url,
  workers,
  times = WORKER_LEASE,
  clock,
}: WorkersOptions): Workers & { close(): Promise<void> } => {
  const database = new Postgres('vault', { url });
  const grantsFor = (holder: string): Grants<number> => ({
    async take(leaseMs) {
      const [row] = await database.rows<[number]>(TAKE, [holder, leaseMs, workers]);
      return row?.[0];
    },
    renew: async (id, leaseMs) => (await database.rows(RENEW, [holder, leaseMs, id])).length > 0,
    release: async (id) => void (await database.rows(RELEASE, [holder, id])),
  });
  return {
    async lease() {
      await migrate(database, COORDINATION_MIGRATIONS);
      const lease = await Lease.take(grantsFor(randomUUID()), times, clock);
      if (lease === undefined)
        throw new NoWorkerLeft(`All ${workers} worker ids are taken: stop a process, or wait 30 s.`);
      return { id: lease.grant, valid: () => lease.valid(), release: () => lease.release() };
    },
    close: () => database.close(),
  };
};
