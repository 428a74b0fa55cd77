import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import type { Redis } from '../../stores/redis/connection.ts';
import { connected, dropNamed, proxied, randomName } from '../../stores/redis/testing.ts';
import { fastest } from '../../stores/testing.ts';
import { limiterContract } from '../contract.ts';
import type { Limiter } from '../port.ts';
import { redisLimiter } from './limiter.ts';

const ANN = '10';

limiterContract('Redis', async () => {
  const namespace = randomName();
  const open: Redis[] = [];
  return {
    async node() {
      const redis = await connected();
      open.push(redis);
      return redisLimiter(redis, namespace, systemClock);
    },
    async dispose() {
      await dropNamed(open[0]!, namespace);
      for (const one of open) one.close();
    },
  };
});

describe('limits of a node without Redis', () => {
  let namespace: string;
  const open: Redis[] = [];
  const node = async (url: string, timeoutMs: number) => {
    const redis = await connected({ url, timeoutMs });
    open.push(redis);
    return redisLimiter(redis, namespace, systemClock)('global', { count: 3, seconds: 60 });
  };
  const allowed = async (limiter: Limiter, key: string, times: number) => {
    const taken = await Promise.all(Array.from({ length: times }, () => limiter.take(key)));
    return taken.filter((one) => one.allowed).length;
  };

  beforeEach(() => {
    namespace = randomName();
  });
  afterEach(async () => {
    const redis = await connected();
    await dropNamed(redis, namespace);
    for (const one of [redis, ...open.splice(0)]) one.close();
  });

  it('are counted per node while Redis is gone, without delay', async () => {
    const proxy = await proxied();
    const limits = await node(proxy.url, 10_000);
    expect(await allowed(limits, ANN, 3)).toBe(3);
    await proxy.cut();
    const began = performance.now();
    expect(await allowed(limits, ANN, 5)).toBe(3);
    expect(performance.now() - began).toBeLessThan(5000);
    await proxy.mend();
    await expect.poll(() => open[0]?.connected).toBe(true);
    expect(await allowed(limits, ANN, 1)).toBe(0);
    await proxy.cut();
  });

  it('wait for a silent Redis no longer than a command may take', async () => {
    const proxy = await proxied();
    const limits = await node(proxy.url, 200);
    proxy.swallow(true);
    let person = 0;
    const limited = async () => {
      person += 1;
      expect(await allowed(limits, String(person), 5)).toBe(3);
    };
    // Whoever waits as long as usual does so for a second.
    expect(await fastest(limited)).toBeLessThan(900);
    proxy.swallow(false);
    await proxy.cut();
  });
});
