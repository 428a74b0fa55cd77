import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Limits } from '../../commands/limits.ts';
import { NO_LIMITS } from '../../commands/testing.ts';
import type { Actor } from '../../schemas/actor.ts';
import type { Redis } from '../../stores/redis/connection.ts';
import { connected, dropNamed, proxied, randomName } from '../../stores/redis/testing.ts';
import { redisLimiter } from './limiter.ts';

const ANN: Actor = { userId: '10', kind: 'person', administrator: false };
const BOB: Actor = { userId: '11', kind: 'person', administrator: false };

describe('limits counted in Redis', () => {
  let namespace: string;
  const open: Redis[] = [];
  const node = async (url?: string, count = 3) => {
    const redis = await connected(url === undefined ? {} : { url, timeoutMs: 200 });
    open.push(redis);
    const global = { count, seconds: 60 };
    return new Limits({ ...NO_LIMITS, global }, redisLimiter(redis, namespace));
  };
  const allowed = async (limits: Limits, actor: Actor, times: number) => {
    const taken = await Promise.all(Array.from({ length: times }, () => limits.everything(actor)));
    return taken.filter((one) => one?.allowed).length;
  };

  beforeEach(() => {
    namespace = randomName();
  });
  afterEach(async () => {
    const redis = await connected();
    await dropNamed(redis, namespace);
    for (const one of [redis, ...open.splice(0)]) one.close();
  });

  it('hold over all nodes, for each user alone', async () => {
    const [one, other] = [await node(), await node()];
    expect(await allowed(one, ANN, 2)).toBe(2);
    expect(await allowed(other, ANN, 5)).toBe(1);
    expect(await allowed(one, ANN, 1)).toBe(0);
    expect(await allowed(other, BOB, 5)).toBe(3);
  });

  it('tell their state as every limit does', async () => {
    const limits = await node();
    expect(await limits.everything(ANN)).toMatchObject({ allowed: true, limit: 3, remaining: 2, scope: 'global' });
    await allowed(limits, ANN, 2);
    const taken = await limits.everything(ANN);
    expect(taken).toMatchObject({ allowed: false, remaining: 0 });
    expect(taken?.resetAfter).toBeGreaterThan(50);
    expect(taken?.resetAfter).toBeLessThanOrEqual(60);
  });

  it('are counted by each node while Redis is gone, without a wait', async () => {
    const proxy = await proxied();
    const limits = await node(proxy.url);
    expect(await allowed(limits, ANN, 3)).toBe(3);
    await proxy.cut();
    const began = performance.now();
    expect(await allowed(limits, ANN, 5)).toBe(3);
    expect(performance.now() - began).toBeLessThan(100);
    await proxy.mend();
    await expect.poll(() => open[0]?.connected).toBe(true);
    expect(await allowed(limits, ANN, 1)).toBe(0);
    await proxy.cut();
  });

  it('wait no longer than a command may take for a Redis that does not answer', async () => {
    const proxy = await proxied();
    const limits = await node(proxy.url);
    proxy.swallow(true);
    const began = performance.now();
    expect(await allowed(limits, ANN, 5)).toBe(3);
    expect(await allowed(limits, BOB, 5)).toBe(3);
    expect(performance.now() - began).toBeLessThan(800);
    proxy.swallow(false);
    await proxy.cut();
  });
});
