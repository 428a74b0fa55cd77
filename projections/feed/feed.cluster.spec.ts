import { Redis as Driver } from 'ioredis';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { ports } from '../../services/endpoints.ts';
import type { Redis } from '../../stores/redis/connection.ts';
import { connected, randomName, redisCluster } from '../../stores/redis/testing.ts';
import { feedContract } from './contract.ts';
import type { FeedTransport } from './port.ts';
import { type RoughWay, roughWay } from './redis.testing.ts';
import { openFeedPublisher, openFeedTransport, openSignalPublisher } from './redis.ts';

const works = (attempt: () => Promise<unknown>) =>
  attempt().then(
    () => true,
    () => false,
  );

const until = (check: () => boolean | Promise<boolean>) =>
  expect.poll(check, { interval: 5, timeout: 10_000 }).toBe(true);

/** @param urls of the projectors' Redis and of the gateways' */
const onRedis = async (urls: { readonly projectors: string; readonly gateways: string }, cut: () => Promise<void>) => {
  const namespace = randomName();
  const redis: Redis = await connected({ url: urls.projectors });
  const gateways: Redis = await connected({ url: urls.gateways });
  const transports: FeedTransport[] = [];
  return {
    clock: systemClock,
    until,
    async publisher() {
      const publisher = openFeedPublisher(redis, namespace);
      await until(() => works(() => publisher.publish({ partition: 0, from: 0, events: [], through: 0 })));
      return publisher;
    },
    async transport() {
      const transport = openFeedTransport(gateways, namespace);
      transports.push(transport);
      await until(() => works(() => transport.subscribe(0, [])));
      return transport;
    },
    signals: (partitions: number) => openSignalPublisher(redis, namespace, partitions),
    cut,
    async dispose() {
      for (const transport of transports) transport.stop();
      redis.close();
      gateways.close();
    },
  };
};

feedContract('one Redis', async () => {
  const way: RoughWay = await roughWay(ports.redis);
  const fixture = await onRedis({ projectors: `redis://127.0.0.1:${ports.redis}`, gateways: way.url }, async () =>
    way.cut(),
  );
  return {
    ...fixture,
    async dispose() {
      await fixture.dispose();
      await way.close();
    },
  };
});

describe('three servers', () => {
  let cluster: Awaited<ReturnType<typeof redisCluster>>;
  beforeAll(async () => {
    cluster = await redisCluster();
  });
  afterAll(() => cluster.stop());

  const cut = async () => {
    for (const [, port] of cluster.url.matchAll(/:(\d+)/g)) {
      const node = new Driver(Number(port), '127.0.0.1');
      await node.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      node.disconnect();
    }
  };
  feedContract('a cluster of Redis', () => onRedis({ projectors: cluster.url, gateways: cluster.url }, cut));
});
