/** Leaderships as leases in PostgreSQL, whose clock decides when they end. */

import { randomUUID } from 'node:crypto';
import { type Clock, within } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { Postgres } from '../../stores/postgres/connection.ts';
import { migrate } from '../../stores/postgres/migrations.ts';
import { type Grants, LEADERSHIP_LEASE, type LeaseTimes, leasedLeaderships } from '../lease.ts';
import type { Leaderships } from '../port.ts';
import { COORDINATION_MIGRATIONS } from './migrations.ts';

const UNTIL = "now() + $3 * interval '1 millisecond'";

const TAKE = `INSERT INTO leaderships AS former VALUES ($1, 1, $2, ${UNTIL})
  ON CONFLICT (name) DO UPDATE SET term = former.term + 1, holder = excluded.holder, until = excluded.until
    WHERE former.until <= now()
  RETURNING term`;
const RENEW = `UPDATE leaderships SET until = ${UNTIL}
  WHERE name = $1 AND holder = $2 AND term = $4 AND until > now() RETURNING term`;
const RELEASE = 'UPDATE leaderships SET until = now() WHERE name = $1 AND holder = $2 AND term = $3';

const RETRY_SECONDS = BUDGETS.postgres.vault.retrySeconds;

export interface LeadershipsOptions {
  /** URL of the vault's database. */
  readonly url: string;
  readonly times?: LeaseTimes;
  readonly clock: Clock;
}

/** Opens no connection before the first `seek`. */
export const openLeaderships = ({
  url,
  times = LEADERSHIP_LEASE,
  clock,
}: LeadershipsOptions): Leaderships & { close(): Promise<void> } => {
  const database = new Postgres('vault', { url, timeoutMs: BUDGETS.leases.answerMs });
  const holder = randomUUID();
  let prepared: Promise<void> | undefined;
  const prepare = async (): Promise<void> => {
    const done = migrate(database, COORDINATION_MIGRATIONS).then(() => true);
    if (!(await within(clock, 2 * BUDGETS.postgres.lockMs, done))) throw new StoreUnavailable('vault', RETRY_SECONDS);
  };
  const ready = (): Promise<void> => {
    prepared ??= prepare().catch((error: unknown) => {
      prepared = undefined;
      throw error;
    });
    return prepared;
  };
  const grantsOf = (name: string): Grants<number> => ({
    async take(leaseMs) {
      await ready();
      const [row] = await database.rows<[number]>(TAKE, [name, holder, leaseMs]);
      return row?.[0];
    },
    renew: async (term, leaseMs) => (await database.rows(RENEW, [name, holder, leaseMs, term])).length > 0,
    release: async (term) => void (await database.rows(RELEASE, [name, holder, term])),
  });
  return { ...leasedLeaderships(grantsOf, times, clock), close: () => database.close() };
};
