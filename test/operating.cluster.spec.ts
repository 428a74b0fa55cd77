/** What happens to a cluster in use: every process is restarted, a relay dies, a projector stalls, timelines are rebuilt. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Api, type Message, someName } from './support/api.ts';
import { type Cluster, SPLIT, startCluster } from './support/cluster.ts';
import { type Load, startLoad } from './support/load.ts';
import { metric } from './support/metrics.ts';
import { parley } from './support/parley.ts';
import { LIMITS_OFF } from './support/server.ts';
import { Verdict } from './support/verdict.ts';

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

const startTalking = () => startLoad(cluster, { administrator, channels: 3, everyMs: 100 });

describe('a restart of every process in turn, under load', () => {
  let load: Load;
  let verdict: Verdict;
  const exits: Partial<Record<Name, number | null>> = {};

  beforeAll(async () => {
    load = await startTalking();
    for (const name of cluster.names) {
      await load.more(50);
      exits[name] = await cluster.stop(name);
      await load.more(50);
      await load.heard();
      await cluster.start(name);
      await load.read();
    }
    await load.more(100);
    verdict = await Verdict.on(load);
  });

  afterAll(() => load?.close());

  it('stops each of them with exit code 0', () => {
    expect(exits).toEqual(Object.fromEntries(cluster.names.map((name) => [name, 0])));
  });

  it('makes no client identify again', () => {
    expect([...load.senders, ...load.subscribers].filter(({ invalidSessions }) => invalidSessions > 0)).toEqual([]);
    for (const { resumes } of load.subscribers) expect(resumes).toBeGreaterThanOrEqual(1);
  });

  it('loses and repeats nothing', () => verdict.expectAll());
});

describe('a relay that', () => {
  const relayed = (name: Name) => metric(cluster.process(name).url, 'parley_relayed_events_total');

  type Ends = readonly [how: string, end: (name: Name) => Promise<void>, back: (name: Name) => Promise<void>];
  const ends: readonly Ends[] = [
    ['is killed', (name) => cluster.kill(name), (name) => cluster.start(name)],
    ['hangs', async (name) => cluster.hang(name), async (name) => cluster.wake(name)],
  ];

  it.each(ends)(
    '%s is replaced by the standby within five seconds, and changes nothing when it is back',
    async (_, end, back) => {
      const { id } = (await administrator.createGuild('Relayed')).channel;
      const counts = { relay: await relayed('relay'), 'relay-2': await relayed('relay-2') };
      await administrator.send(id, 'before');
      const active = await vi.waitFor(async () => {
        const moved = (await relayed('relay')) > counts.relay ? 'relay' : 'relay-2';
        expect(await relayed(moved)).toBeGreaterThan(counts[moved]);
        return moved;
      });
      const next = active === 'relay' ? 'relay-2' : 'relay';
      await end(active);
      try {
        const began = performance.now();
        await administrator.send(id, 'after');
        await vi.waitFor(async () => expect(await relayed(next)).toBeGreaterThan(counts[next]), {
          timeout: 10_000,
          interval: 50,
        });
        expect(performance.now() - began).toBeLessThan(5000);
      } finally {
        await back(active);
      }
      await administrator.send(id, 'again');
      expect((await administrator.history(id)).map(({ content }) => content)).toEqual(['again', 'after', 'before']);
    },
  );
});

describe('a gateway killed while a projector stalls', () => {
  let load: Load;
  let verdict: Verdict;

  beforeAll(async () => {
    load = await startTalking();
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

  it('loses, repeats and reorders nothing', () => {
    verdict.expectPromisesKept();
    verdict.expectHeardOnce();
  });

  it('leaves timelines and unread counts that match the log', async () => {
    await verdict.expectHistory();
    await verdict.expectUnreadRecounted();
  });
});

describe('a rebuild of the timelines, under load', () => {
  let load: Load;
  let verdict: Verdict;
  const failures: unknown[] = [];
  let pages = 0;

  /** Reads the newest page and the one before it repeatedly. They must be complete, whichever table they come from. */
  const read = async (goesOn: () => boolean) => {
    const { owner, channels } = load;
    const page = async (channelId: string, query: string): Promise<Message[]> => {
      const answer = await owner.request<Message[]>('GET', `/channels/${channelId}/messages${query}`);
      pages += 1;
      if (answer.status !== 200) {
        failures.push(answer);
        return [];
      }
      const ordinals = answer.body.map(({ ordinal }) => ordinal);
      if (ordinals.some((ordinal, index) => ordinal !== ordinals[0]! - index)) failures.push(ordinals);
      return answer.body;
    };
    while (goesOn()) {
      for (const { id } of channels) {
        const last = (await page(id, '?limit=50')).at(-1);
        if (last !== undefined && last.ordinal > 1) {
          const before = await page(id, `?limit=50&before=${last.id}`);
          if (before[0]?.ordinal !== last.ordinal - 1) failures.push({ last, before: before[0] });
        }
      }
    }
  };

  beforeAll(async () => {
    load = await startTalking();
    await load.more(500);
    await load.heard();
    let rebuilding = true;
    const reading = read(() => rebuilding);
    try {
      await parley(['projections', 'rebuild', 'timelines'], cluster.namespace.env);
    } finally {
      await load.more(100);
      rebuilding = false;
      await reading;
    }
    verdict = await Verdict.on(load);
  });

  afterAll(() => load?.close());

  it('fails no read, and always shows complete pages', () => {
    expect(pages).toBeGreaterThan(20);
    expect(failures).toEqual([]);
  });

  it('leaves timelines that match the log, by checksum', async () => {
    await parley(['projections', 'verify', 'timelines'], cluster.namespace.env);
    await verdict.expectHistory();
  });

  it('loses nobody a message', () => {
    verdict.expectPromisesKept();
    verdict.expectHeardOnce();
  });
});
