import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { fastest } from '../testing.ts';
import { openRedis, type Redis, type RedisClient, type RedisOptions, script } from './connection.ts';
import { connected, dropNamed, proxied, randomName, redisCluster, type TestRedisCluster } from './testing.ts';

const open: Redis[] = [];
const opened = async (options: Partial<RedisOptions> = {}) => {
  const redis = await connected(options);
  open.push(redis);
  return redis;
};
afterEach(() => {
  for (const redis of open.splice(0)) redis.close();
});

const nextMessage = (client: RedisClient) =>
  new Promise((resolve) => client.once('smessage', (channel, message) => resolve([channel, message])));
const ready = (client: RedisClient) =>
  client.status === 'ready' ? undefined : new Promise((resolve) => client.once('ready', resolve));

describe('Redis', () => {
  it('answers commands and scripts, and reloads a script after losing all scripts', async () => {
    const redis = await opened();
    const twice = script(`return {KEYS[1], ARGV[1] * 2} -- ${randomName()}`);
    for (let n = 0; n < 2; n += 1) expect(await redis.evaluate(twice, ['k'], [21])).toEqual(['k', 42]);
    await redis.run((client) => client.ping());
    expect(await redis.evaluate(twice, ['k'], [4])).toEqual(['k', 8]);
  });

  it('passes on the error of a command unchanged, and goes on', async () => {
    const redis = await opened();
    const wrong = script('return redis.call("nonsense")');
    for (let n = 0; n < 20; n += 1) {
      const failure = await redis.evaluate(wrong, [], []).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(failure).not.toBeInstanceOf(StoreUnavailable);
    }
    expect(await redis.run((client) => client.ping())).toBe('PONG');
  });

  it('that is down fails at once, reports it, and is found when it starts', async () => {
    const proxy = await proxied();
    await proxy.cut();
    const reasons: string[] = [];
    const redis = openRedis({
      clock: systemClock,
      url: proxy.url,
      store: 'sessions',
      openMs: 50,
      onWaiting: (reason) => reasons.push(reason),
    });
    open.push(redis);
    expect(await redis.whenConnected(AbortSignal.timeout(200))).toBe(false);
    const refused = () =>
      expect(redis.run((client) => client.ping())).rejects.toMatchObject({ store: 'sessions', retryAfter: 1 });
    expect(await fastest(refused)).toBeLessThan(500);
    expect(reasons[0]).toMatch(/ECONNREFUSED/);
    await proxy.mend();
    expect(await redis.whenConnected()).toBe(true);
    expect(await redis.run((client) => client.ping())).toBe('PONG');
    await proxy.cut();
  });

  it('that goes away fails waiting commands, is left alone for a while, and is asked again', async () => {
    const proxy = await proxied();
    const redis = await opened({ url: proxy.url, openMs: 100 });
    const waiting = redis.run((client) => client.blpop('nothing', 0));
    await proxy.cut();
    await expect(waiting).rejects.toThrow(StoreUnavailable);
    for (let n = 0; n < 10; n += 1)
      await expect(redis.run((client) => client.ping())).rejects.toThrow(StoreUnavailable);
    await proxy.mend();
    await expect.poll(() => redis.run((client) => client.ping()).catch(() => 'gone')).toBe('PONG');
    await proxy.cut();
  });

  it('that lost a command gets a new connection for the next', async () => {
    const proxy = await proxied();
    const redis = await opened({ url: proxy.url, timeoutMs: 200, openMs: 50 });
    const patient = await opened({ url: proxy.url });
    proxy.swallow(true);
    const failed: string[] = [];
    const loses = async (one: Redis, name: string) => {
      await expect(one.run((client) => client.echo('lost'))).rejects.toThrow(StoreUnavailable);
      failed.push(name);
    };
    await Promise.all([loses(patient, 'as long as usual'), loses(redis, '200 ms')]);
    expect(failed).toEqual(['200 ms', 'as long as usual']);
    proxy.swallow(false);
    await expect.poll(() => redis.run((client) => client.echo('heard')).catch(() => 'gone')).toBe('heard');
    await proxy.cut();
  });

  it('delivers sharded messages, and signals when to subscribe again', async () => {
    const name = randomName();
    const proxy = await proxied();
    const redis = await opened({ url: proxy.url });
    const subscriber = redis.subscriber();
    const publisher = redis.publisher();
    let lost = 0;
    subscriber.on('close', () => {
      lost += 1;
    });
    const subscribed = new Promise((resolve) =>
      subscriber.on('ready', () => subscriber.ssubscribe(`{${name}}:a`).then(resolve, () => {})),
    );
    await subscribed;
    await ready(publisher);
    const message = nextMessage(subscriber);
    await publisher.spublish(`{${name}}:a`, 'hello');
    expect(await message).toEqual([`{${name}}:a`, 'hello']);
    await proxy.cut();
    await proxy.mend();
    const again = nextMessage(subscriber);
    await expect.poll(() => publisher.spublish(`{${name}}:a`, 'again').catch(() => 0)).toBe(1);
    expect(await again).toEqual([`{${name}}:a`, 'again']);
    expect(lost).toBeGreaterThan(0);
    await proxy.cut();
  });
});

describe('a Redis Cluster', () => {
  let cluster: TestRedisCluster;
  beforeAll(async () => {
    cluster = await redisCluster();
  }, 30_000);
  afterAll(() => cluster.stop());

  it('answers for every slot, and refuses a script over two', async () => {
    const redis = await opened({ url: cluster.url });
    expect(redis.clustered).toBe(true);
    const set = script('redis.call("SET", KEYS[1], ARGV[1]) return redis.call("GET", KEYS[1])');
    const keys = Array.from({ length: 50 }, () => `{${randomName()}}:x`);
    expect(await Promise.all(keys.map((key) => redis.evaluate(set, [key], [key])))).toEqual(keys);
    await expect(redis.evaluate(set, ['{a}', '{b}'], [1])).rejects.toThrow(/CROSSSLOT/);
  });

  it('delivers sharded messages from every node', async () => {
    const redis = await opened({ url: cluster.url });
    const subscriber = redis.subscriber();
    const publisher = redis.publisher();
    await ready(subscriber);
    await ready(publisher);
    const channels = Array.from({ length: 20 }, () => `{${randomName()}}:x`);
    const heard: string[] = [];
    subscriber.on('smessage', (channel) => heard.push(channel));
    for (const channel of channels) await subscriber.ssubscribe(channel);
    for (const channel of channels) expect(await publisher.spublish(channel, 'hello')).toBe(1);
    await expect.poll(() => [...heard].sort()).toEqual([...channels].sort());
  });

  it('that is down fails within its time limit', async () => {
    const redis = openRedis({ clock: systemClock, url: 'redis://127.0.0.1:1,127.0.0.1:2' });
    open.push(redis);
    const began = performance.now();
    await expect(redis.run((client) => client.ping())).rejects.toThrow(StoreUnavailable);
    expect(performance.now() - began).toBeLessThan(4000);
  });
});

it('the keys of a spec can be removed by their name', async () => {
  const redis = await opened();
  const name = randomName();
  await redis.run((client) => client.set(`{${name}:u1:0}:through`, 1));
  await dropNamed(redis, name);
  expect(await redis.run((client) => client.get(`{${name}:u1:0}:through`))).toBeNull();
});
