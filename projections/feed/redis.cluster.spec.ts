import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { channelAudience } from '../../schemas/streams.ts';
import { ports } from '../../services/endpoints.ts';
import { openRedis, type Redis } from '../../stores/redis/connection.ts';
import { randomName } from '../../stores/redis/testing.ts';
import type { PartitionBatch } from '../engine/port.ts';
import { Story } from '../testing.ts';
import { decodeManifest, decodeSaid, type Manifest } from './payloads.ts';
import type { FeedPublisher } from './port.ts';
import { deliverySink } from './publish.ts';
import { type RoughWay, roughWay } from './redis.testing.ts';
import { openFeedPublisher, openFeedTransport } from './redis.ts';
import { aReader, CountedFills, Handed } from './testing.ts';

const ANN = '10';

describe('what a projector publishes', () => {
  let way: RoughWay;
  let redis: Redis;
  let direct: Redis;
  let namespace: string;
  let publisher: FeedPublisher;
  let story: Story;
  let manifests: Manifest[];
  /** Pulses and manifests in order of arrival. */
  let order: string[];

  beforeEach(async () => {
    way = await roughWay(ports.redis);
    redis = openRedis({ clock: systemClock, url: way.url, timeoutMs: 200 });
    direct = openRedis({ clock: systemClock, url: `redis://127.0.0.1:${ports.redis}` });
    namespace = randomName();
    story = new Story();
    manifests = [];
    order = [];
    publisher = openFeedPublisher(redis, namespace);
    const transport = openFeedTransport(direct, namespace);
    transport.start({
      onMessage: (_partition, channel, text) => {
        order.push(channel);
        if (channel === 'manifest') manifests.push(decodeManifest(text));
        else decodeSaid(text);
      },
      onReconnect: () => {},
    });
    const heard = () => transport.subscribe(0, ['manifest', 'structure', 'c:30', 'c:31']);
    await expect
      .poll(() =>
        heard().then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await expect
      .poll(() =>
        publish([], 0, 0).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await expect.poll(() => manifests.length).toBeGreaterThan(0);
    manifests.length = 0;
    order.length = 0;
  });
  afterEach(async () => {
    redis.close();
    direct.close();
    await way.close();
  });

  const publish = (events: PartitionBatch['events'], from: number, through: number) =>
    publisher.publish({ partition: 0, from, events, through });

  it('fails at once without a connection, and readers see the broken chain', async () => {
    await publish([], 0, 1);
    await way.close();
    await expect
      .poll(() =>
        publish([], 1, 2).then(
          () => 'sent',
          () => 'failed',
        ),
      )
      .toBe('failed');
    const began = performance.now();
    for (let n = 0; n < 100; n += 1) await expect(publish([], 2 + n, 3 + n)).rejects.toThrow();
    // A hundred that waited for an answer would take 100 s.
    expect(performance.now() - began).toBeLessThan(10_000);
    way = await roughWay(ports.redis);
  });

  it('times out when Redis does not answer, and gateways read the batch from the log', async () => {
    const dropped: number[] = [];
    const sink = deliverySink({
      publisher,
      log: story.log,
      partitions: 1,
      onDropped: ({ through }) => dropped.push(through),
      onUnreadable: () => {},
    });
    const handed = new Handed();
    const metrics = new CountedFills();
    const transport = openFeedTransport(direct, namespace);
    const reader = aReader({ log: story.log, transport, partitions: 1, metrics });
    await reader.start(handed.onBatch);
    await expect
      .poll(() =>
        transport.subscribe(0, ['manifest']).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await reader.listen([channelAudience('30')]);
    story.post('30', ANN);
    way.swallow(true);
    await sink.commit({ partition: 0, from: 0, events: story.log.all, through: 1 });
    expect(dropped).toEqual([1]);
    way.swallow(false);
    way.cut();
    story.post('30', ANN);
    let through = 1;
    await expect
      .poll(async () => {
        await sink.commit({ partition: 0, from: through, events: story.since(through).slice(0, 1), through: 2 });
        through = 2;
        return reader.position;
      })
      .toBe(2);
    expect(handed.positions).toEqual([1, 2]);
    expect(metrics.fills).toContain('chain');
    await reader.stop();
  });

  it('starts at the head of the log under a new owner', async () => {
    for (let n = 0; n < 3; n += 1) story.post('30', ANN);
    const sink = deliverySink({
      publisher,
      log: story.log,
      partitions: 2,
      onDropped: () => {},
      onUnreadable: () => {},
    });
    expect(await sink.checkpoints()).toEqual([3, 3]);
  });
});
