import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestClock } from '../../schemas/clock.testing.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { Redis } from '../../stores/redis/connection.ts';
import { connected, dropNamed, proxied, randomName, redisCluster } from '../../stores/redis/testing.ts';
import { sharedWritesContract } from '../contract.ts';
import { redisSharedWrites } from './own-writes.ts';

const ANN = '10';
const BOB = '11';

sharedWritesContract('Redis', async () => {
  const namespace = randomName();
  const open: Redis[] = [];
  let head = 0;
  return {
    async node() {
      const redis = await connected();
      open.push(redis);
      return redisSharedWrites({ redis, namespace, logHead: async () => head, clock: systemClock });
    },
    logEndsAt: (position) => {
      head = position;
    },
    async dispose() {
      await dropNamed(open[0]!, namespace);
      for (const one of open) one.close();
    },
  };
});

describe('the position of own writes', () => {
  let namespace: string;
  let head: number;
  let clock: TestClock;
  const open: Redis[] = [];
  const node = async (url?: string) => {
    const redis = await connected(url === undefined ? undefined : { url, openMs: 50 });
    open.push(redis);
    return redisSharedWrites({ redis, namespace, logHead: async () => head, clock });
  };
  /** Two nodes, the first of which has already asked the empty Redis. */
  const begun = async (url?: string) => {
    const nodes = [await node(url), await node()] as const;
    await nodes[0].of(ANN);
    return nodes;
  };

  beforeEach(() => {
    namespace = randomName();
    head = 0;
    clock = new TestClock();
  });
  afterEach(async () => {
    const redis = await connected();
    await dropNamed(redis, namespace);
    for (const one of [redis, ...open.splice(0)]) one.close();
  });

  it('is recorded for many people at once in a cluster', async () => {
    const cluster = await redisCluster();
    try {
      const [one, other] = [await node(cluster.url), await node(cluster.url)];
      await one.of(ANN);
      const users = Array.from({ length: 50 }, (_, n) => String(1000 + n));
      await Promise.all(users.map((user, n) => one.record(user, n)));
      expect(await Promise.all(users.map((user) => other.of(user)))).toEqual(users.map((_, n) => n));
    } finally {
      for (const redis of open.splice(0)) redis.close();
      await cluster.stop();
    }
  });

  it('is never less than recorded after Redis has lost its data', async () => {
    const [one, other] = await begun();
    await one.record(ANN, 20);
    head = 30;
    await dropNamed(open[0]!, namespace);
    expect(await other.of(ANN)).toBe(30);
    head = 50;
    expect([await one.of(ANN), await one.of(BOB)]).toEqual([30, 30]);
    await one.record(ANN, 45);
    expect(await other.of(ANN)).toBe(45);
  });

  it('is the end of the log while Redis is gone and shortly after, since other nodes could not record', async () => {
    const proxy = await proxied();
    const [one] = await begun(proxy.url);
    head = 10;
    await one.record(ANN, 5);
    await proxy.cut();
    expect(await one.of(ANN)).toBe(10);
    await proxy.mend();
    await expect.poll(() => open[0]?.connected).toBe(true);
    head = 11;
    expect(await one.of(ANN)).toBe(11);
    await clock.advance(5000);
    await expect.poll(() => one.of(ANN)).toBe(5);
    await proxy.cut();
  });

  it('that could not be recorded applies to everyone once Redis is back', async () => {
    const proxy = await proxied();
    const [one, other] = await begun(proxy.url);
    await proxy.cut();
    head = 10;
    await one.record(ANN, 8);
    await one.record(BOB, 9);
    expect(await other.of(ANN)).toBe(0);
    await proxy.mend();
    const later = async () => {
      await clock.advance(250);
      return other.of(ANN);
    };
    await expect.poll(later, { timeout: 5000 }).toBe(9);
    await proxy.cut();
  });

  it('is the largest number when neither Redis nor the log can answer', async () => {
    const proxy = await proxied();
    const redis = await connected({ url: proxy.url });
    open.push(redis);
    const logHead = () => Promise.reject(new Error('gone'));
    const one = redisSharedWrites({ redis, namespace, logHead, clock: systemClock });
    await proxy.cut();
    expect(await one.of(ANN)).toBe(Number.MAX_SAFE_INTEGER);
  });
});
