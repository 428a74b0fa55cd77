import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../schemas/clock.ts';
import type { Redis } from '../../../stores/redis/connection.ts';
import { connected, proxied, randomName, redisCluster } from '../../../stores/redis/testing.ts';
import type { ProgressChannel, ProgressUpdate } from './port.ts';
import { redisProgress } from './redis.ts';

describe('progress through Redis', () => {
  let namespace: string;
  const open: { redis: Redis; channel: ProgressChannel }[] = [];
  const node = async (url?: string) => {
    const redis = await connected(url === undefined ? undefined : { url, openMs: 50 });
    const channel = redisProgress(redis, namespace, systemClock);
    const heard: ProgressUpdate[] = [];
    channel.onUpdate((update) => heard.push(update));
    await channel.start();
    open.push({ redis, channel });
    return { redis, channel, heard };
  };
  const last = (heard: readonly ProgressUpdate[]) => Object.assign({}, ...heard.map(({ through }) => through));

  beforeEach(() => {
    namespace = randomName();
  });
  afterEach(async () => {
    for (const { redis, channel } of open.splice(0)) {
      await channel.stop();
      redis.close();
    }
  });

  it('reaches every node, the sender at once', async () => {
    const one = await node();
    const other = await node();
    const update = { view: 'timelines', generation: 1, through: { 0: 5, 3: 7 } } as const;
    one.channel.publish(update);
    expect(one.heard).toEqual([update]);
    await expect.poll(() => other.heard).toEqual([update]);
  });

  it('is sent in one message when there are many updates, with the latest position of each partition', async () => {
    const one = await node();
    const other = await node();
    for (let n = 1; n <= 200; n += 1) {
      one.channel.publish({ view: 'unread', generation: 1, through: { [n % 2]: n } });
      one.channel.publish({ view: 'guild-views', generation: 1, through: { 2: n } });
    }
    await expect.poll(() => last(other.heard)).toEqual({ 0: 200, 1: 199, 2: 200 });
    expect(other.heard.length).toBeLessThan(50);
  });

  it('arrives again after the connection was lost', async () => {
    const proxy = await proxied();
    const one = await node();
    const other = await node(proxy.url);
    await proxy.cut();
    one.channel.publish({ view: 'unread', generation: 1, through: { 0: 1 } });
    await proxy.mend();
    let position = 1;
    await expect
      .poll(() => {
        position += 1;
        one.channel.publish({ view: 'unread', generation: 1, through: { 0: position } });
        return other.heard.length;
      })
      .toBeGreaterThan(0);
    await proxy.cut();
  });

  it('starts without Redis, and still reaches the own node', async () => {
    const proxy = await proxied();
    const one = await node(proxy.url);
    await proxy.cut();
    const channel = redisProgress(one.redis, namespace, systemClock);
    const heard: ProgressUpdate[] = [];
    channel.onUpdate((update) => heard.push(update));
    await channel.start();
    channel.publish({ view: 'unread', generation: 1, through: { 0: 1 } });
    expect(heard).toHaveLength(1);
    await channel.stop();
  });

  it('ignores messages that are not updates', async () => {
    const one = await node();
    for (const text of [
      '',
      '{',
      '[{"view":"nothing","through":{}}]',
      '[{"view":"unread","generation":1,"through":{"0":"1"}}]',
    ])
      await one.redis.run((client) => client.publish(`${namespace}:progress`, text));
    await one.redis.run((client) =>
      client.publish(`${namespace}:progress`, '[{"view":"unread","generation":1,"through":{"0":1}}]'),
    );
    await expect.poll(() => one.heard).toEqual([{ view: 'unread', generation: 1, through: { 0: 1 } }]);
  });

  it('reaches all nodes of a Redis Cluster', async () => {
    const cluster = await redisCluster();
    const one = await node(cluster.url);
    const other = await node(cluster.url);
    one.channel.publish({ view: 'unread', generation: 1, through: { 0: 1 } });
    await expect.poll(() => other.heard).toEqual([{ view: 'unread', generation: 1, through: { 0: 1 } }]);
    await cluster.stop();
  }, 30_000);
});
