import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../../../schemas/errors.ts';
import type { Redis } from '../../../../stores/redis/connection.ts';
import { connected } from '../../../../stores/redis/testing.ts';
import { CheckpointMoved } from '../../../engine/port.ts';
import { Story } from '../../../testing.ts';
import { type TestUnread, testUnread } from '../testing.ts';
import type { RedisUnreadStore } from './store.ts';

const ANN = '10';
const BOB = '11';
const CHANNEL = '30';

describe('the partitions of unread counts', () => {
  let redis: Redis;
  let now: number;
  let head: number;
  let unread: TestUnread;
  let store: RedisUnreadStore;
  let story: Story;
  const again = () => unread.store(() => now);
  /** All of these belong to the channel's partition. */
  const batch = (from: number, through = story.log.all.length) => ({
    partition: unread.keys.partitionOfChannel(CHANNEL),
    from,
    events: story.log.all.slice(from, through),
    through,
  });
  const empty = (partition: number, from: number, through: number) => ({ partition, from, events: [], through });
  const unreadOf = async (userId: string) =>
    (await unread.rows().states(userId, [{ channelId: CHANNEL, floor: 0 }]))[0]!.unread;
  /** Brings all partitions to position 1, complete. */
  const begun = async () => {
    for (let partition = 0; partition < 4; partition += 1) await store.commit(empty(partition, 0, 1));
  };

  beforeAll(async () => {
    redis = await connected();
  });
  afterAll(() => redis.close());
  beforeEach(() => {
    now = 0;
    head = 0;
    unread = testUnread(redis, 4, () => head);
    store = again();
    story = new Story();
    return () => unread.empty();
  });

  it('start at position 0, and are not trusted', async () => {
    expect(await store.checkpoints()).toEqual([0, 0, 0, 0]);
    await expect(unread.rows().head(CHANNEL)).rejects.toThrow(StoreUnavailable);
  });

  it('are at the end of their last batch, and hold its rows', async () => {
    await begun();
    story.post(CHANNEL, ANN);
    story.post(CHANNEL, ANN);
    story.post(CHANNEL, ANN);
    await store.commit({ ...batch(1), through: 7 });
    expect((await again().checkpoints())[unread.keys.partitionOfChannel(CHANNEL)]).toBe(7);
    expect(await unread.rows().head(CHANNEL)).toMatchObject({ ordinal: 3, sequence: 3, position: 3 });
  });

  it('accept a repair, and stay at their checkpoints', async () => {
    await begun();
    for (let n = 0; n < 3; n += 1) story.post(CHANNEL, ANN);
    await store.commit({ ...batch(1), events: story.since(0).slice(0, 1) });
    await store.repair(story.since(1));
    expect(await unread.rows().head(CHANNEL)).toMatchObject({ ordinal: 3, sequence: 3, position: 3 });
    expect((await again().checkpoints())[unread.keys.partitionOfChannel(CHANNEL)]).toBe(3);
  });

  it('accept a batch again after its answer was lost, and no other batch twice', async () => {
    await begun();
    const from = 1;
    story.post('31', ANN);
    story.post(CHANNEL, ANN, { mentions: { users: [BOB], everyone: false } });
    await store.commit(batch(from));
    await store.commit(batch(from));
    await again().commit({ ...batch(from), from: 2, through: 2 });
    story.remove(CHANNEL, 1, ANN);
    await store.commit(batch(2));
    await expect(again().commit({ ...batch(from, 2) })).rejects.toMatchObject({ actual: 3 });
    const [state] = await unread.rows().states(BOB, [{ channelId: CHANNEL, floor: 0 }]);
    expect(state).toMatchObject({ unread: 1, mentions: 0 });
  });

  it('keep a batch without events in memory, for a second at most', async () => {
    await begun();
    await store.commit(empty(1, 1, 10));
    await store.commit(empty(2, 1, 20));
    expect(await again().checkpoints()).toEqual([1, 1, 1, 1]);
    now = 1000;
    await store.commit(empty(1, 10, 11));
    expect(await again().checkpoints()).toEqual([1, 11, 20, 1]);
    await store.commit(empty(1, 11, 12));
    await store.flush();
    expect(await again().checkpoints()).toEqual([1, 12, 20, 1]);
  });

  it('continue after batches that were only in memory', async () => {
    await begun();
    const { partition } = batch(0);
    story.post(CHANNEL, ANN);
    await store.commit(empty(partition, 1, 30));
    await store.commit({ partition, from: 30, events: story.since(0), through: 40 });
    await store.commit(empty(partition, 40, 50));
    story.post(CHANNEL, ANN);
    await store.commit({ partition, from: 50, events: story.since(1), through: 60 });
    expect((await again().checkpoints())[partition]).toBe(60);
    expect(await unreadOf(BOB)).toBe(2);
  });

  it('refuse a batch after another process has moved them, and store nothing', async () => {
    await begun();
    await store.checkpoints();
    const { partition } = batch(0);
    await again().commit({ partition, from: 1, events: [new Story().post('31', ANN)], through: 90 });
    story.post(CHANNEL, ANN);
    const refused = store.commit({ ...batch(0), from: 1, through: 2 });
    await expect(refused).rejects.toThrow(CheckpointMoved);
    await expect(refused).rejects.toMatchObject({ actual: 90 });
    expect(await unreadOf(BOB)).toBe(0);
    await store.commit({ partition, from: 90, events: story.since(0), through: 100 });
    expect(await unreadOf(BOB)).toBe(1);
  });

  it('report that they were emptied, for batches with events and without', async () => {
    await begun();
    story.post('31', ANN);
    story.post(CHANNEL, ANN);
    await store.commit(batch(1));
    const other = (batch(0).partition + 1) % 4;
    await store.commit(empty(other, 1, 5));
    await unread.empty();
    story.post(CHANNEL, ANN);
    await expect(store.commit(batch(2))).rejects.toMatchObject({ actual: 0 });
    now = 1000;
    await expect(store.commit(empty(other, 5, 6))).rejects.toMatchObject({ actual: 0 });
  });

  it('report it after another process’s batch has noticed it', async () => {
    await begun();
    const { partition } = batch(0);
    const other = (partition + 1) % 4;
    await store.commit(empty(partition, 1, 10));
    await store.commit(empty(other, 1, 10));
    await unread.empty();
    now = 1000;
    await expect(store.commit(empty(other, 10, 11))).rejects.toMatchObject({ actual: 0 });
    await store.flush();
    story.post(CHANNEL, ANN);
    const refused = store.commit({ partition, from: 10, events: story.since(0), through: 11 });
    await expect(refused).rejects.toMatchObject({ actual: 0 });
  });

  it('refuse a batch that does not start at their checkpoint', async () => {
    await begun();
    story.post(CHANNEL, ANN);
    const { partition } = batch(0);
    const gap = store.commit({ partition, from: 5, events: story.since(0), through: 6 });
    await expect(gap).rejects.toMatchObject({ actual: 1 });
    await store.commit(empty(partition, 1, 3));
    await expect(store.commit(empty(partition, 2, 4))).rejects.toMatchObject({ actual: 1 });
  });

  it('are complete where the log ended when filling began, or where it ends now if that is far off', async () => {
    for (let n = 0; n < 5; n += 1) story.post(CHANNEL, ANN);
    const answered = () => unread.rows().head(CHANNEL);
    head = 3;
    await store.commit(batch(0, 2));
    await expect(answered()).rejects.toThrow(StoreUnavailable);
    // Meanwhile the log has grown a lot.
    head = 5000;
    await store.commit(batch(2, 4));
    await expect(answered()).rejects.toThrow(StoreUnavailable);
    // Another process continues the filling.
    const successor = again();
    await successor.checkpoints();
    head = 5900;
    await successor.commit({ ...batch(4, 5), through: 5000 });
    expect(await answered()).toMatchObject({ ordinal: 5 });
  });

  it('that fell back are not trusted by a process that saw them further on', async () => {
    await begun();
    story.post('31', ANN);
    story.post(CHANNEL, ANN);
    await store.commit(batch(1));
    const seen = unread.rows();
    await seen.head(CHANNEL);
    const at = unread.keys.at(batch(0).partition);
    await redis.run((client) => client.hset(at, 'through', 1));
    await expect(seen.head(CHANNEL)).rejects.toThrow(StoreUnavailable);
    await redis.run((client) => client.hset(at, 'through', 2));
    expect(await seen.head(CHANNEL)).toMatchObject({ ordinal: 1 });
  });

  it('tell apart an event that cannot be stored, damaged keys and an unavailable server', async () => {
    await begun();
    const event = story.post(CHANNEL, ANN);
    Object.assign(event.data, { ordinal: 'first' });
    const failure = await store.commit({ ...batch(0), from: 1, through: 2 }).catch((error: unknown) => error);
    expect(store.classify(failure)).toBe('permanent');
    await redis.run((client) => client.set(unread.keys.head(CHANNEL), 'not ours'));
    Object.assign(event.data, { ordinal: 1 });
    const damaged = await store.commit({ ...batch(0), from: 1, through: 2 }).catch((error: unknown) => error);
    expect(store.classify(damaged)).toBe('damaged');
    expect(store.classify(new StoreUnavailable('unread', 1))).toBe('transient');
  });

  it('store a large batch, and answer for many channels at once', async () => {
    await begun();
    const channels = Array.from({ length: 600 }, (_, n) => String(n + 100));
    const { partitionOfChannel } = unread.keys;
    for (let n = 0; n < 3; n += 1) for (const channel of channels) story.post(channel, ANN);
    for (let partition = 0; partition < 4; partition += 1) {
      const events = story.log.all.filter(
        (event) => partitionOfChannel.call(unread.keys, event.stream.slice('channel-'.length)) === partition,
      );
      await store.commit({ partition, from: 1, events, through: story.log.all.length });
    }
    const rows = unread.rows();
    expect(await rows.unmarked(BOB, channels)).toEqual(channels);
    const states = await rows.states(
      BOB,
      channels.map((channelId) => ({ channelId, floor: 1 })),
    );
    expect(states.map(({ channelId }) => channelId)).toEqual(channels);
    expect(states.every((state) => state.unread === 2)).toBe(true);
    expect([...(await rows.heads(channels)).values()].every((found) => found.ordinal === 3)).toBe(true);
  });

  it('answer for no channels', async () => {
    await begun();
    expect(await unread.rows().states(BOB, [])).toEqual([]);
    expect(await unread.rows().heads([])).toEqual(new Map());
    expect(await unread.rows().unmarked(BOB, [])).toEqual([]);
  });
});
