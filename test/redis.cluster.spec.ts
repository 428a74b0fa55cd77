/** Redis loses its data, and connections to it break. Clients notice neither. */

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Keys } from '../projections/views/unread/redis/keys.ts';
import { Wholeness } from '../projections/views/unread/redis/reader.ts';
import { RedisUnreadWriter } from '../projections/views/unread/redis/writer.ts';
import type { OwnServices } from '../services/port.ts';
import { privateServices } from '../services/private.ts';
import { connected } from '../stores/redis/testing.ts';
import { Api, someName } from './support/api.ts';
import { type Cluster, SPLIT, startCluster } from './support/cluster.ts';
import { type Front, startFront } from './support/front.ts';
import { type Load, startLoad } from './support/load.ts';
import { metric } from './support/metrics.ts';
import { LIMITS_OFF } from './support/server.ts';
import { Verdict } from './support/verdict.ts';

let own: OwnServices;
/** Stands before the Redis, to cut connections. */
let front: Front;
let cluster: Cluster<keyof typeof SPLIT>;
let port: number;
let administrator: Api;

beforeAll(async () => {
  own = await privateServices();
  await own.start('redis');
  port = Number(new URL(own.urls.redis).port);
  front = await startFront();
  front.forwardTo(port);
  const redisUrl = front.url.replace('http', 'redis');
  cluster = await startCluster({ processes: SPLIT, env: { ...LIMITS_OFF, PARLEY_REDIS_URL: redisUrl } });
  const anybody = new Api(cluster.url('api'));
  administrator = anybody.as(await anybody.register(someName('administrator')));
});

afterAll(async () => {
  await cluster?.close();
  await front?.close();
  await own?.destroy();
});

const startTalking = () => startLoad(cluster, { administrator, channels: 3, subscribers: 10, everyMs: 100 });

/**
 * Resolves when Redis itself holds the unread counts of every partition again. Until then the log answers instead,
 * which knows the heads but not every mention.
 */
const untilWhole = async (): Promise<void> => {
  const redis = await connected({ url: own.urls.redis });
  try {
    const { name, env } = cluster.namespace;
    const keys = new Keys({ namespace: name, generation: 1, partitions: Number(env.PARLEY_PARTITIONS) });
    const writer = new RedisUnreadWriter(redis, keys);
    const wholeness = new Wholeness();
    await vi.waitFor(
      async () => {
        for (const [partition, reached] of (await writer.reached()).entries()) wholeness.check(partition, reached);
      },
      { interval: 100, timeout: 60_000 },
    );
  } finally {
    redis.close();
  }
};

describe('a Redis that is emptied under load', () => {
  let load: Load;
  let verdict: Verdict;
  const statuses: number[] = [];

  beforeAll(async () => {
    load = await startTalking();
    const redis = new Redis(own.urls.redis);
    let reading = true;
    const readers = Promise.all(
      load.subscribers.slice(0, 2).map(async ({ account }) => {
        while (reading) statuses.push((await load.owner.as(account).request('GET', '/users/@me/read-states')).status);
      }),
    );
    try {
      for (let round = 0; round < 3; round += 1) {
        await load.more(150);
        await load.read();
        await redis.flushall();
        await load.more(150);
        await load.heard();
      }
      await load.settle();
      await untilWhole();
    } finally {
      reading = false;
      redis.disconnect();
      await readers;
    }
    verdict = await Verdict.on(load);
  });

  afterAll(() => load?.close());

  it('stops nobody: everything is acknowledged and heard once', () => {
    verdict.expectPromisesKept();
    verdict.expectHeardOnce();
  });

  it('does not stop unread counts from being answered meanwhile', () => {
    expect(statuses.length).toBeGreaterThan(10);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  });

  it('holds the right heads and unread counts again', () => verdict.expectUnreadRecounted());
});

describe('connections to Redis that are cut at random moments', () => {
  let load: Load;
  let verdict: Verdict;
  let cuts = 0;
  let fills = 0;

  beforeAll(async () => {
    load = await startTalking();
    for (; cuts < 12; cuts += 1) {
      await load.more(1 + Math.floor(Math.random() * 60));
      front.hold();
      // Every third time the connections stay cut for a while.
      if (cuts % 3 === 0) await load.more(60);
      front.forwardTo(port);
    }
    await load.settle();
    for (const gateway of ['gateway-1', 'gateway-2'] as const)
      fills += await metric(cluster.process(gateway).url, 'parley_feed_fills_total');
    verdict = await Verdict.on(load);
  });

  afterAll(() => load?.close());

  it('lose, repeat and reorder no message', async () => {
    expect(cuts).toBe(12);
    // Events that the feed did not bring were read from the log.
    expect(fills).toBeGreaterThan(0);
    verdict.expectPromisesKept();
    verdict.expectHeardOnce();
    await verdict.expectHistory();
  });

  it('change no unread count', () => verdict.expectUnreadRecounted());
});
