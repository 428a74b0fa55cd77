import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HeldClock } from '../../schemas/clock.testing.ts';
import { systemClock } from '../../schemas/clock.ts';
import { ports } from '../../services/endpoints.ts';
import { createDatabase, type TestDatabase } from '../../services/testing.ts';
import { Postgres } from '../../stores/postgres/connection.ts';
import { migrate } from '../../stores/postgres/migrations.ts';
import { startProxy } from '../../stores/testing.ts';
import { checkpointsContract, type LeaseFixture, leadershipContract, workersContract } from '../contract.ts';
import { openCheckpoints } from './checkpoints.ts';
import { openLeaderships } from './leadership.ts';
import { COORDINATION_MIGRATIONS } from './migrations.ts';
import { openWorkers } from './workers.ts';

const WORKERS = 3;
/** Short, so a spec sees leases end, but long enough for a busy machine. */
const TIMES = { leaseMs: 2100, renewMs: 300 };

const opened = async (): Promise<LeaseFixture> => {
  const database = await createDatabase();
  const closing: (() => Promise<void>)[] = [];
  return {
    workers: WORKERS,
    process() {
      const clock = new HeldClock(systemClock);
      const options = { url: database.url, times: TIMES, clock };
      const leaderships = openLeaderships(options);
      const workers = openWorkers({ ...options, workers: WORKERS });
      closing.push(leaderships.close, workers.close);
      return { leaderships, workers, hang: () => clock.hold(), goOn: () => clock.goOn() };
    },
    until: (check) => expect.poll(check, { timeout: 15_000 }).toBe(true),
    async dispose() {
      await Promise.all(closing.map((close) => close()));
      await database.drop();
    },
  };
};

leadershipContract('PostgreSQL', opened);
workersContract('PostgreSQL', opened);
checkpointsContract('PostgreSQL', async () => {
  const database = await createDatabase();
  const checkpoints = await openCheckpoints(database.url);
  const all = [checkpoints];
  return {
    checkpoints,
    async elsewhere() {
      const other = await openCheckpoints(database.url);
      all.push(other);
      return other;
    },
    async dispose() {
      await Promise.all(all.map((one) => one.close()));
      await database.drop();
    },
  };
});

describe('coordination in PostgreSQL', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  it('throws StoreUnavailable while its server is down', async () => {
    const url = 'postgres://parley@127.0.0.1:1/none';
    await expect(openCheckpoints(url)).rejects.toMatchObject({ store: 'vault' });
    const workers = openWorkers({ clock: systemClock, url, workers: WORKERS });
    await expect(workers.lease()).rejects.toMatchObject({ store: 'vault' });
    await workers.close();
  });

  it('keeps a leadership whose connections fall silent', async () => {
    const proxy = await startProxy(ports.postgres);
    const url = database.url.replace(/:\d+\//, `:${proxy.port}/`);
    const leaderships = openLeaderships({ url, times: TIMES, clock: systemClock });
    const direct = new Postgres('vault', { url: database.url });
    const terms: number[] = [];
    const leadership = leaderships.seek({
      name: 'relay',
      onGained: async (term) => void terms.push(term),
      onLost: async () => {},
    });
    try {
      await expect.poll(() => leadership.leading).toBe(true);
      const [row] = await direct.rows<[string]>("SELECT (until + interval '4 s')::text FROM leaderships");
      proxy.mute();
      const renewed = () => direct.rows<[boolean]>('SELECT until > $1::timestamptz FROM leaderships', [row![0]]);
      await expect.poll(renewed, { timeout: 15_000 }).toEqual([[true]]);
      expect([leadership.leading, terms]).toEqual([true, [1]]);
    } finally {
      await leadership.stop();
      await leaderships.close();
      await direct.close();
      await proxy.cut();
    }
  });

  it('is created although a process hangs while it creates it', async () => {
    const hanging = new Postgres('vault', { url: database.url, timeoutMs: 200 });
    let begun = () => {};
    const inside = new Promise<void>((resolve) => (begun = resolve));
    const up = () => {
      begun();
      return new Promise<void>(() => {});
    };
    void migrate(hanging, { ...COORDINATION_MIGRATIONS, table: 'hanging', steps: { '001-hangs': { up } } }).catch(
      () => {},
    );
    await inside;
    const began = performance.now();
    const checkpoints = await openCheckpoints(database.url);
    expect(performance.now() - began).toBeLessThan(4000);
    await checkpoints.close();
  });

  it('is created by many processes that start together', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => openCheckpoints(database.url)));
    await all[0]!.write('relay', 3);
    expect(await all[4]!.read('relay')).toBe(3);
    await Promise.all(all.map((one) => one.close()));
  });
});
