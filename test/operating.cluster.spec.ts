/** What happens to a cluster in use: its processes are restarted, a relay dies, a projector stalls. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUDGETS } from '../stores/budgets.ts';
import { Api, someName } from './support/api.ts';
import { type Cluster, SPLIT, startCluster } from './support/cluster.ts';
import { type Load, startLoad } from './support/load.ts';
import { metric } from './support/metrics.ts';
import { LIMITS_OFF } from './support/server.ts';
import { Verdict } from './support/verdict.ts';

/** Twice the time that a healthy machine may take, which may stall meanwhile. */
const REPLACED_MS = 2 * BUDGETS.leases.handOverMs;

/** Includes a second relay on standby. */
const PROCESSES = { ...SPLIT, 'relay-2': 'relay' } as const;

type Name = keyof typeof PROCESSES;

let cluster: Cluster<Name>;
let administrator: Api;

beforeAll(async () => {
  cluster = await startCluster({ processes: PROCESSES, env: { ...LIMITS_OFF, PARLEY_DRAIN_MS: '500' } });
  const anybody = new Api(cluster.url('api'));
  administrator = anybody.as(await anybody.register(someName('administrator')));
});

afterAll(() => cluster?.close());

/** One of two that are alike, or both where either may lead or hold the clients. */
const RESTARTED = ['gateway-1', 'gateway-2', 'api', 'relay', 'relay-2', 'projector-1'] as const;

describe('under load, a restart of one process after another and a gateway killed while a projector stalls', () => {
  let load: Load;
  let verdict: Verdict;
  const exits: Partial<Record<Name, number | null>> = {};

  beforeAll(async () => {
    load = await startLoad(cluster, { administrator, channels: 3, subscribers: 10, everyMs: 100 });
    for (const name of RESTARTED) {
      await load.more(50);
      exits[name] = await cluster.stop(name);
      await load.more(50);
      await load.heard();
      await cluster.start(name);
      await load.read();
    }
    await load.more(100);
    cluster.hang('projector-1');
    await load.more(200);
    await load.heard();
    await cluster.kill('gateway-1');
    await load.more(100);
    await load.heard();
    // The projector now publishes the batch it held when it stopped, long after others have published it.
    cluster.wake('projector-1');
    await cluster.start('gateway-1');
    await load.more(200);
    await load.heard();
    verdict = await Verdict.on(load);
  });

  afterAll(() => {
    load?.close();
    cluster.wake('projector-1');
  });

  it('stops each process with exit code 0', () => {
    expect(exits).toEqual(Object.fromEntries(RESTARTED.map((name) => [name, 0])));
  });

  it('makes no client identify again', () => {
    expect([...load.senders, ...load.subscribers].filter(({ invalidSessions }) => invalidSessions > 0)).toEqual([]);
    for (const { resumes } of load.subscribers) expect(resumes).toBeGreaterThanOrEqual(1);
  });

  it('loses, repeats and reorders nothing, and leaves views that match the log', () => verdict.expectAll());
});

describe('a relay that', () => {
  const relayed = (name: Name) => metric(cluster.process(name).url, 'parley_relayed_events_total');

  type Ends = readonly [how: string, end: (name: Name) => Promise<void>, back: (name: Name) => Promise<void>];
  const ends: readonly Ends[] = [
    ['is killed', (name) => cluster.kill(name), (name) => cluster.start(name)],
    ['hangs', async (name) => cluster.hang(name), async (name) => cluster.wake(name)],
  ];

  it.each(ends)('%s is replaced by the standby in time, and changes nothing when it is back', async (_, end, back) => {
    const { id } = (await administrator.createGuild('Relayed')).channel;
    const counts = { relay: await relayed('relay'), 'relay-2': await relayed('relay-2') };
    await administrator.send(id, 'before');
    const moved = async () => {
      for (const name of ['relay', 'relay-2'] as const) if ((await relayed(name)) > counts[name]) return name;
      return undefined;
    };
    await expect.poll(moved).toBeDefined();
    const active = (await moved())!;
    const next = active === 'relay' ? 'relay-2' : 'relay';
    await end(active);
    try {
      await administrator.send(id, 'after');
      await expect.poll(() => relayed(next), { timeout: REPLACED_MS }).toBeGreaterThan(counts[next]);
    } finally {
      await back(active);
    }
    await administrator.send(id, 'again');
    expect((await administrator.history(id)).map(({ content }) => content)).toEqual(['again', 'after', 'before']);
  });
});
