import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guildWith, World } from '../../gateway/testing.ts';
import { HeldClock, TestClock } from '../../schemas/clock.testing.ts';
import { type Clock, systemClock } from '../../schemas/clock.ts';
import type { Redis } from '../../stores/redis/connection.ts';
import { connected, dropNamed, proxied, randomName } from '../../stores/redis/testing.ts';
import { registryContract, shown } from '../contract.ts';
import type { SessionRegistry } from '../port.ts';
import { redisSessionRegistry } from './sessions.ts';

const ANN = '10';

registryContract('Redis', async () => {
  const namespace = randomName();
  const wallTime = 1000;
  const open: { redis: Redis; registry: SessionRegistry }[] = [];
  return {
    wallTime,
    async gateway() {
      const clock = new HeldClock({ ...systemClock, wallTime: () => wallTime });
      const redis = await connected();
      const registry = redisSessionRegistry({ redis, namespace, clock });
      open.push({ redis, registry });
      const kill = async () => {
        clock.hold();
        // As if its lease expired. A live gateway takes a new one at once.
        const leases = await redis.run((client) => client.keys(`${namespace}:gateway:*`));
        for (const lease of leases) expect(await redis.run((client) => client.ttl(lease))).toBeGreaterThan(0);
        await redis.run((client) => client.del(...leases));
      };
      return { registry, kill };
    },
    until: (check) => expect.poll(check).toBe(true),
    async dispose() {
      for (const { registry } of open) await registry.stop();
      await dropNamed(open[0]!.redis, namespace);
      for (const { redis } of open) redis.close();
    },
  };
});

describe('the session registry of a gateway', () => {
  let namespace: string;
  const open: { redis: Redis; registry: SessionRegistry }[] = [];
  const gateway = async (url?: string, clock: Clock = systemClock) => {
    const redis = await connected(url === undefined ? undefined : { url, openMs: 50 });
    const registry = redisSessionRegistry({ redis, namespace, clock });
    open.push({ redis, registry });
    return { redis, registry };
  };

  beforeEach(() => {
    namespace = randomName();
  });
  afterEach(async () => {
    const redis = await connected();
    for (const one of open.splice(0)) {
      await one.registry.stop();
      one.redis.close();
    }
    await dropNamed(redis, namespace);
    redis.close();
  });

  it('neither fails nor waits while Redis is gone, and writes everything once it is back', async () => {
    const proxy = await proxied();
    const one = await gateway(proxy.url);
    const other = await gateway();
    one.registry.started(ANN, 'web');
    await expect.poll(() => shown(other.registry)).toEqual(['1 web']);
    await proxy.cut();
    one.registry.started(ANN, 'mobile');
    one.registry.ended(ANN, 'web');
    expect(await one.registry.of(ANN)).toEqual([]);
    await proxy.mend();
    await expect.poll(() => shown(other.registry), { timeout: 5000 }).toEqual(['1 mobile']);
    await proxy.cut();
  });

  it('writes everything again after Redis has lost its data', async () => {
    const clock = new TestClock();
    const { redis, registry } = await gateway(undefined, clock);
    const later = async (ms: number) => {
      await clock.advance(ms);
      return shown(registry);
    };
    registry.started(ANN, 'web');
    await expect.poll(() => later(100)).toEqual(['1 web']);
    await dropNamed(redis, namespace);
    expect(await shown(registry)).toEqual([]);
    await expect.poll(() => later(5000)).toEqual(['1 web']);
  });

  it('receives a gateway’s sessions as they begin and end', async () => {
    const { registry } = await gateway();
    const world = await World.open();
    world.story.user('1');
    guildWith(world.story, '10', '1');
    const station = await world.station({}, registry);
    const client = await station.identified('1', { properties: { os: 'linux', browser: 'Firefox', device: '' } });
    await expect.poll(() => shown(registry, '1')).toEqual(['1 web']);
    await client.cut();
    await expect.poll(() => shown(registry, '1')).toEqual([]);
    await world.close();
  });
});
