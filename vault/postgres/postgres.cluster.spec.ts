import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoints } from '../../coordination/postgres/checkpoints.ts';
import { seekLeadership } from '../../coordination/postgres/leadership.ts';
import { leaseWorker, NoWorkerLeft } from '../../coordination/postgres/workers.ts';
import { createDatabase, type TestDatabase } from '../../services/testing.ts';
import { vaultContract } from '../contract.ts';
import { openPostgresVault } from './vault.ts';

const passwordCost = { memoryCost: 1024, timeCost: 1, parallelism: 1 };

vaultContract('PostgreSQL', async () => {
  const database = await createDatabase();
  let vault = await openPostgresVault({ url: database.url, passwordCost, takeOverAfterMs: 0 });
  return {
    vault,
    async reopen() {
      await vault.close();
      vault = await openPostgresVault({ url: database.url, passwordCost, takeOverAfterMs: 0 });
      return vault;
    },
    async dispose() {
      await vault.close();
      await database.drop();
    },
  };
});

describe('what nodes share in the vault', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  it('gives a name to one of many who reserve it at once on several nodes', async () => {
    const vaults = await Promise.all([1, 2, 3].map(() => openPostgresVault({ url: database.url, passwordCost })));
    const holders = await Promise.all(
      Array.from({ length: 30 }, (_, i) => vaults[i % 3]!.reserveUsername(i % 2 ? 'Ann' : 'ANN', String(i))),
    );
    expect(new Set(holders.map(({ userId }) => userId)).size).toBe(1);
    const secrets = await Promise.all(vaults.map((vault) => vault.signingSecret()));
    expect(new Set(secrets.map((secret) => secret.toString('hex'))).size).toBe(1);
    for (const vault of vaults) await vault.close();
  });

  it('leaves a name to a registration that may be under way on another node', async () => {
    const vault = await openPostgresVault({ url: database.url, passwordCost });
    await vault.reserveUsername('bob', '1');
    expect(await vault.takeOverUsername('bob', '1', '2')).toEqual({ userId: '1', confirmed: false });
    await vault.close();
  });

  it('leases every worker id once, says when none is left, and gives out what was released', async () => {
    const leases = await Promise.all(Array.from({ length: 8 }, () => leaseWorker(database.url)));
    expect(new Set(leases.map(({ id }) => id)).size).toBe(8);
    expect(leases.every((lease) => lease.valid())).toBe(true);
    const checkpoints = await openCheckpoints(database.url);
    const { Client } = await import('pg');
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query(
      `INSERT INTO workers SELECT id, 'x', now() + interval '1 hour' FROM generate_series(0, 1023) w(id) ON CONFLICT DO NOTHING`,
    );
    await expect(leaseWorker(database.url)).rejects.toThrow(NoWorkerLeft);
    await leases[0]!.release();
    expect(leases[0]!.valid()).toBe(false);
    const next = await leaseWorker(database.url);
    expect(next.id).toBe(leases[0]!.id);
    for (const lease of [...leases.slice(1), next]) await lease.release();
    await client.query('DELETE FROM workers');
    await client.end();
    await checkpoints.close();
  });

  it('takes the validity of a lease that cannot be renewed before the lease ends', async () => {
    const lease = await leaseWorker(database.url, { leaseMs: 600, renewMs: 100_000 });
    expect(lease.valid()).toBe(true);
    await expect.poll(() => lease.valid(), { interval: 10 }).toBe(false);
    // Still nobody else's: it ends later by the server's clock.
    const { Client } = await import('pg');
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query('SELECT until > now() AS held FROM workers WHERE id = $1', [lease.id]);
    expect(rows).toEqual([{ held: true }]);
    await client.end();
    await lease.release();
  });

  it('lets one lead, and the next when it stops', async () => {
    const order: string[] = [];
    let gained = () => {};
    const second = new Promise<void>((resolve) => {
      gained = resolve;
    });
    const leader = (name: string, onGained: () => void) =>
      seekLeadership({
        url: database.url,
        name: 'relay',
        onGained: async () => {
          order.push(`${name} leads`);
          onGained();
        },
        onLost: async () => void order.push(`${name} lost`),
      });
    let first = () => {};
    const leads = new Promise<void>((resolve) => {
      first = resolve;
    });
    const one = leader('one', first);
    await leads;
    const two = leader('two', gained);
    await one.stop();
    await second;
    expect(two.leading).toBe(true);
    await two.stop();
    expect(order).toEqual(['one leads', 'one lost', 'two leads', 'two lost']);
  });

  it('keeps checkpoints, which never move back', async () => {
    const checkpoints = await openCheckpoints(database.url);
    expect(await checkpoints.read('relay')).toBe(0);
    await checkpoints.write('relay', 7);
    await checkpoints.write('relay', 5);
    expect(await checkpoints.read('relay')).toBe(7);
    await checkpoints.close();
  });

  it('says that it cannot be asked when its server is not there', async () => {
    await expect(openPostgresVault({ url: 'postgres://parley@127.0.0.1:1/none' })).rejects.toMatchObject({
      store: 'vault',
    });
  });
});
