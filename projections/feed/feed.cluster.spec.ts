import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { channelAudience, userAudience } from '../../schemas/streams.ts';
import type { Redis } from '../../stores/redis/connection.ts';
import { connected, randomName, redisCluster } from '../../stores/redis/testing.ts';
import { partitionOf } from '../engine/partitions.ts';
import { Story } from '../testing.ts';
import type { FeedPublisher, TypingTold } from './port.ts';
import { deliverySink } from './publish.ts';
import type { MendingFeedReader } from './reader.ts';
import { openFeedPublisher, openFeedTransport, openTypingPublisher } from './redis.ts';
import { aReader, CountedFills, Handed, PATIENT } from './testing.ts';

const PARTITIONS = 4;
const ANN = '10';

describe.each([
  ['one server', async () => ({ url: undefined, stop: async () => {} })],
  ['a cluster of three', redisCluster],
] as const)('the delivery feed on %s', (_, servers) => {
  let redis: Redis;
  let stopServers: () => Promise<void>;
  let url: string | undefined;
  const readers: MendingFeedReader[] = [];

  beforeAll(async () => {
    const started = await servers();
    ({ url } = started);
    stopServers = started.stop;
    redis = await connected(url === undefined ? {} : { url });
  });
  afterEach(async () => {
    for (const reader of readers.splice(0)) await reader.stop();
  });
  afterAll(async () => {
    redis.close();
    await stopServers();
  });

  /** A node that hears of the log through Redis alone. */
  const gateway = async (namespace: string, story: Story) => {
    const handed = new Handed();
    const typed: TypingTold[] = [];
    const metrics = new CountedFills();
    const transport = openFeedTransport(redis, namespace);
    const reader = aReader({
      log: story.log,
      transport,
      partitions: PARTITIONS,
      onTyping: (typing) => typed.push(typing),
      metrics,
      limits: PATIENT,
    });
    readers.push(reader);
    await reader.start(handed.onBatch);
    await expect
      .poll(() =>
        transport.subscribe(0, []).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    return { reader, handed, typed, metrics };
  };

  const publishAll = async (publisher: FeedPublisher, story: Story, from: number) => {
    const sink = deliverySink({
      publisher,
      log: story.log,
      partitions: PARTITIONS,
      onDropped: (_batch, error) => {
        throw error;
      },
    });
    const through = await story.log.head();
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const events = story.since(from).filter((event) => partitionOf(event.stream, PARTITIONS) === partition);
      await sink.commit({ partition, from, events, through });
    }
  };

  it('hands over what is listened to, in position order, up to where every partition has got', async () => {
    const namespace = randomName();
    const story = new Story();
    const { reader, handed, metrics } = await gateway(namespace, story);
    await reader.listen([channelAudience('31'), channelAudience('32'), userAudience(ANN)]);
    const publisher = openFeedPublisher(redis, namespace);
    await expect
      .poll(() =>
        publishAll(publisher, story, 0).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    for (let n = 0; n < 400; n += 1) {
      story.post('31', ANN);
      story.post('32', ANN);
      story.post('33', ANN);
      if (n % 100 === 0) story.read(ANN, { '31': n });
      if (n % 100 === 1) story.read('11', { '31': n });
      if (n % 100 === 2) story.join('20', String(1000 + n));
    }
    await publishAll(publisher, story, 0);
    await expect.poll(() => reader.position).toBe(story.log.all.length);
    expect(handed.events).toEqual(
      story.log.all.filter(
        ({ stream, type, data }) =>
          stream === 'channel-31' ||
          stream === 'channel-32' ||
          type === 'member-joined' ||
          (type === 'channels-read' && data.userId === ANN),
      ),
    );
    expect(metrics.fills).toEqual([]);
  });

  it('tells of typing where the channel is listened to', async () => {
    const namespace = randomName();
    const story = new Story();
    const here = await gateway(namespace, story);
    const elsewhere = await gateway(namespace, story);
    await here.reader.listen([channelAudience('31')]);
    const typing = { channelId: '31', guildId: null, userId: ANN, time: 5 };
    openTypingPublisher(redis, namespace, PARTITIONS).typing(typing);
    await expect.poll(() => here.typed).toEqual([typing]);
    expect(elsewhere.typed).toEqual([]);
  });
});
