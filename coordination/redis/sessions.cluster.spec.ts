import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guildWith, World } from '../../gateway/testing.ts';
import type { Redis } from '../../stores/redis/connection.ts';
import { connected, dropNamed, proxied, randomName } from '../../stores/redis/testing.ts';
import type { SessionRegistry } from '../port.ts';
import { redisSessionRegistry } from './sessions.ts';

const ANN = '10';

describe('the session registry', () => {
  let namespace: string;
  const open: { redis: Redis; registry: SessionRegistry }[] = [];
  const gateway = async (url?: string) => {
    const redis = await connected(url === undefined ? {} : { url, openMs: 50 });
    const registry = redisSessionRegistry({ redis, namespace, now: () => 1000 });
    open.push({ redis, registry });
    return { redis, registry };
  };
  const shown = async (registry: SessionRegistry, userId = ANN) =>
    (await registry.of(userId)).map(({ device, sessions }) => `${sessions} ${device}`).sort();

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

  it('knows where somebody is connected, with what, and since when', async () => {
    const [one, other] = [await gateway(), await gateway()];
    one.registry.started(ANN, 'web');
    one.registry.started(ANN, 'web');
    other.registry.started(ANN, 'mobile');
    await expect.poll(() => shown(one.registry)).toEqual(['1 mobile', '2 web']);
    const found = await other.registry.of(ANN);
    expect(new Set(found.map(({ gateway: name }) => name)).size).toBe(2);
    expect(found.map(({ since }) => since)).toEqual([1000, 1000]);
    expect(await other.registry.of('11')).toEqual([]);
  });

  it('forgets sessions that ended', async () => {
    const { registry } = await gateway();
    registry.started(ANN, 'web');
    registry.started(ANN, 'web');
    registry.started(ANN, 'mobile');
    registry.ended(ANN, 'web');
    registry.ended(ANN, 'mobile');
    await expect.poll(() => shown(registry)).toEqual(['1 web']);
    registry.ended(ANN, 'web');
    await expect.poll(() => shown(registry)).toEqual([]);
    registry.started(ANN, 'mobile');
    await expect.poll(() => shown(registry)).toEqual(['1 mobile']);
  });

  it('takes the end of a session that it was never told of for nothing', async () => {
    const { registry } = await gateway();
    registry.ended(ANN, 'web');
    registry.started(ANN, 'web');
    await expect.poll(() => shown(registry)).toEqual(['1 web']);
  });

  it('counts a gateway’s sessions no longer when it has stopped, or lost its lease', async () => {
    const [one, other, third] = [await gateway(), await gateway(), await gateway()];
    one.registry.started(ANN, 'web');
    other.registry.started(ANN, 'mobile');
    await expect.poll(() => shown(third.registry)).toEqual(['1 mobile', '1 web']);
    await one.registry.stop();
    expect(await shown(third.registry)).toEqual(['1 mobile']);
    const leases = await third.redis.run((client) => client.keys(`${namespace}:gateway:*`));
    for (const lease of leases) expect(await third.redis.run((client) => client.ttl(lease))).toBeGreaterThan(0);
    await third.redis.run((client) => client.del(...leases));
    expect(await shown(third.registry)).toEqual([]);
  });

  it('neither fails nor waits while Redis is gone, and tells everything when it is back', async () => {
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

  it('tells everything again when Redis has forgotten', { timeout: 15_000 }, async () => {
    const { redis, registry } = await gateway();
    registry.started(ANN, 'web');
    await expect.poll(() => shown(registry)).toEqual(['1 web']);
    await dropNamed(redis, namespace);
    expect(await shown(registry)).toEqual([]);
    await expect.poll(() => shown(registry), { timeout: 10_000 }).toEqual(['1 web']);
  });

  it('is told of a gateway’s sessions as they begin and end', async () => {
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
