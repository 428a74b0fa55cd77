import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../schemas/clock.ts';
import type { Redis } from '../../../../stores/redis/connection.ts';
import {
  connected,
  dropNamed,
  randomName,
  redisCluster,
  type TestRedisCluster,
} from '../../../../stores/redis/testing.ts';
import { Story } from '../../../testing.ts';
import { eventsOf } from '../testing.ts';
import { checksumOf, checksums, dropGeneration, listGenerations, type StreamChecksum } from './checksums.ts';
import type { UnreadPlace } from './keys.ts';
import { openRedisUnread } from './store.ts';

const ANN = '10';
const BOB = '11';
const PARTITIONS = 4;

const told = () => {
  const story = new Story();
  for (let n = 0; n < 30; n += 1) {
    story.post(String(30 + (n % 5)), ANN, { mentions: { users: [BOB], everyone: n % 7 === 0 } });
    story.read(BOB, { [String(30 + (n % 5))]: 1 });
  }
  story.remove('30', 2, ANN);
  return story;
};

describe.each(['one server', 'a Redis Cluster'])('generations of unread counts on %s', (where) => {
  let redis: Redis;
  let cluster: TestRedisCluster | undefined;
  let namespace: string;
  beforeAll(async () => {
    if (where === 'a Redis Cluster') cluster = await redisCluster();
    redis = await connected(cluster === undefined ? undefined : { url: cluster.url });
    namespace = randomName();
  }, 30_000);
  afterEach(() => dropNamed(redis, namespace));
  afterAll(async () => {
    redis.close();
    await cluster?.stop();
  });

  const place = (generation: number): UnreadPlace => ({ namespace, generation, partitions: PARTITIONS });
  const filled = async (generation: number, story: Story, step = 1000) => {
    const { all } = story.log;
    const unread = openRedisUnread({
      ...{ redis, logHead: async () => all.length, clock: systemClock.monotonic },
      ...place(generation),
    });
    for (let partition = 0; partition < PARTITIONS; partition += 1)
      for (let from = 0; from < all.length; from += step) {
        const through = Math.min(all.length, from + step);
        const events = eventsOf(all, { partition, partitions: PARTITIONS, from, through });
        await unread.store.commit({ partition, from, events, through });
      }
    return unread;
  };
  const sums = async (generation: number) => {
    const found = new Map<string, StreamChecksum>();
    for await (const one of checksums(redis, place(generation))) found.set(one.stream, one);
    return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
  };

  it('exist side by side and are dropped one by one', async () => {
    const story = told();
    expect(await listGenerations(redis, namespace)).toEqual([]);
    await filled(1, story);
    const kept = await filled(12, story);
    expect(await listGenerations(redis, namespace)).toEqual([1, 12]);
    await dropGeneration(redis, place(1));
    expect(await listGenerations(redis, namespace)).toEqual([12]);
    expect(await sums(1)).toEqual(new Map());
    expect(await kept.rows.head('30')).toMatchObject({ ordinal: 6 });
  });

  it('have equal checksums however they were filled', async () => {
    const story = told();
    await filled(1, story);
    await filled(2, story, 3);
    const found = await sums(1);
    expect([...found.keys()]).toEqual([
      'channel-30',
      'channel-31',
      'channel-32',
      'channel-33',
      'channel-34',
      'read-11',
    ]);
    expect(await sums(2)).toEqual(found);
  });

  it('have different checksums when a head, marker, mention or sequence differs', async () => {
    const before = await filled(1, told()).then(() => sums(1));
    const longer = told();
    longer.react('31', 1, BOB, '👍');
    longer.edit('32', 1, ANN);
    longer.read(BOB, { '33': 5 });
    await filled(2, longer);
    const after = await sums(2);
    const differ = [...before].filter(([stream, { checksum }]) => after.get(stream)?.checksum !== checksum);
    expect(differ.map(([stream]) => stream)).toEqual(['channel-31', 'channel-32', 'read-11']);
    expect(before.get('channel-31')?.through).toBe(6);
    expect(after.get('channel-31')?.through).toBe(7);
  });

  it('report nothing for other streams', async () => {
    expect(await checksumOf(redis, place(1), 'channel-404')).toMatchObject({ through: 0 });
    expect(() => checksumOf(redis, place(1), 'guild-20')).toThrow(TypeError);
  });
});
