import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CheckpointMoved } from '../../../engine/port.ts';
import { messageId, Story } from '../../../testing.ts';
import { type SmallTimelines, smallTimelines, type TestCassandra, testCassandra, truncate } from './testing.ts';

const ANN = '10';
const CHANNEL = '30';

describe('the partitions of the timelines', () => {
  let cassandra: TestCassandra;
  let generation: number;
  let now: number;
  let timelines: SmallTimelines;
  let story: Story;
  const again = () => smallTimelines(cassandra.client, generation, 5, () => now);
  const batch = (from: number, partition = 1) => ({
    partition,
    from,
    events: story.since(from),
    through: story.log.all.length,
  });
  const empty = (from: number, through: number, partition = 1) => ({ partition, from, events: [], through });
  const ordinals = async (from: SmallTimelines = timelines) =>
    (await from.reader.page(CHANNEL, { limit: 50 }, ANN)).map((row) => row.ordinal);

  beforeAll(async () => {
    cassandra = await testCassandra();
  });
  afterAll(() => cassandra.drop());
  beforeEach(async () => {
    generation = await cassandra.generation();
    now = 0;
    timelines = again();
    story = new Story();
  });

  it('start at position 0', async () => {
    expect(await timelines.store.checkpoints()).toEqual([0, 0, 0, 0]);
  });

  it('are at the end of their last batch, and hold its rows', async () => {
    story.post(CHANNEL, ANN);
    story.post(CHANNEL, ANN);
    await timelines.store.commit({ ...batch(0), through: 7 });
    expect(await again().store.checkpoints()).toEqual([0, 7, 0, 0]);
    expect(await ordinals()).toEqual([2, 1]);
  });

  it('accept a batch again after its answer was lost', async () => {
    story.post(CHANNEL, ANN);
    await timelines.store.commit(batch(0));
    await timelines.store.commit(batch(0));
    expect(await ordinals()).toEqual([1]);
    story.post(CHANNEL, ANN);
    await timelines.store.commit(batch(1));
    expect(await ordinals()).toEqual([2, 1]);
  });

  it('accept a repair, and stay at their checkpoints', async () => {
    for (let n = 0; n < 3; n += 1) story.post(CHANNEL, ANN);
    const { events } = batch(0);
    await timelines.store.commit({ ...batch(0), events: events.slice(0, 1) });
    await timelines.store.repair(events.slice(1));
    expect(await ordinals()).toEqual([3, 2, 1]);
    expect(await again().store.checkpoints()).toEqual([0, 3, 0, 0]);
  });

  it('accept a batch again after it was stored in part, and hold at least what was acknowledged', async () => {
    for (let n = 0; n < 20; n += 1) story.post(CHANNEL, ANN);
    await timelines.store.checkpoints();
    const checkpoint = vi.spyOn(timelines.checkpoints, 'write').mockRejectedValueOnce(new Error('the process died'));
    await expect(timelines.store.commit(batch(0))).rejects.toThrow('died');
    checkpoint.mockRestore();
    const successor = again();
    expect(await successor.store.checkpoints()).toEqual([0, 0, 0, 0]);
    story.edit(CHANNEL, 3, ANN);
    await successor.store.commit(batch(0));
    expect(await ordinals(successor)).toHaveLength(20);
    expect((await successor.reader.message(CHANNEL, messageId(CHANNEL, 3), ANN))?.sealedIn).toBe('event-21');
  });

  it('do not report a batch before its rows are stored', async () => {
    const order: string[] = [];
    story.post(CHANNEL, ANN);
    story.post(CHANNEL, ANN);
    vi.spyOn(timelines.writer, 'apply').mockImplementation(async () => void order.push('rows'));
    vi.spyOn(timelines.checkpoints, 'write').mockImplementation(async () => void order.push('checkpoint'));
    await timelines.store.commit(batch(0));
    expect(order).toEqual(['rows', 'checkpoint']);
  });

  it('keep a batch without events in memory, for a second at most', async () => {
    await timelines.store.checkpoints();
    await timelines.store.commit(empty(0, 10, 1));
    await timelines.store.commit(empty(0, 20, 2));
    expect(await again().store.checkpoints()).toEqual([0, 0, 0, 0]);
    now = 1000;
    await timelines.store.commit(empty(10, 11, 1));
    expect(await again().store.checkpoints()).toEqual([0, 11, 20, 0]);
    await timelines.store.commit(empty(11, 12, 1));
    await timelines.store.flush();
    expect(await again().store.checkpoints()).toEqual([0, 12, 20, 0]);
  });

  it('continue after batches that were only in memory', async () => {
    await timelines.store.checkpoints();
    story.post(CHANNEL, ANN);
    await timelines.store.commit(empty(0, 0));
    await timelines.store.commit({ partition: 1, from: 0, events: story.since(0), through: 30 });
    await timelines.store.commit(empty(30, 40));
    story.post(CHANNEL, ANN);
    await timelines.store.commit({ partition: 1, from: 40, events: story.since(1), through: 50 });
    expect(await again().store.checkpoints()).toEqual([0, 50, 0, 0]);
  });

  it('refuse a batch after another process has moved them, and store nothing', async () => {
    await timelines.store.checkpoints();
    await again().store.commit({ partition: 1, from: 0, events: [new Story().post('31', ANN)], through: 90 });
    story.post(CHANNEL, ANN);
    const refused = timelines.store.commit(batch(0));
    await expect(refused).rejects.toThrow(CheckpointMoved);
    await expect(refused).rejects.toMatchObject({ actual: 90 });
    expect(await ordinals()).toEqual([]);
    story.post(CHANNEL, ANN);
    await timelines.store.commit({ partition: 1, from: 90, events: story.since(0), through: 100 });
    expect(await ordinals()).toEqual([2, 1]);
  });

  it('report that they were emptied', async () => {
    story.post(CHANNEL, ANN);
    await timelines.store.commit(batch(0));
    await truncate(cassandra.client, `timeline_checkpoints_g${generation}`);
    story.post(CHANNEL, ANN);
    await expect(timelines.store.commit(batch(1))).rejects.toMatchObject({ actual: 0 });
  });

  it('report it for batches without events too, once they would be stored', async () => {
    story.post(CHANNEL, ANN);
    await timelines.store.commit(batch(0));
    await timelines.store.commit(empty(1, 5));
    await timelines.store.commit(empty(0, 5, 2));
    await truncate(cassandra.client, `timeline_checkpoints_g${generation}`);
    now = 1000;
    await timelines.store.commit(empty(5, 6, 2));
    expect(await again().store.checkpoints()).toEqual([0, 0, 6, 0]);
    now = 2000;
    await expect(timelines.store.commit(empty(5, 7))).rejects.toMatchObject({ actual: 0 });
  });

  it('never move back, whichever process writes', async () => {
    await timelines.checkpoints.write(new Map([[1, 90]]));
    await again().checkpoints.write(new Map([[1, 80]]));
    expect(await timelines.store.checkpoints()).toEqual([0, 90, 0, 0]);
  });

  it('hold one batch’s messages of many channels and buckets', async () => {
    const channels = Array.from({ length: 40 }, (_, n) => String(n + 100));
    for (let n = 0; n < 12; n += 1) for (const channel of channels) story.post(channel, ANN);
    for (let n = 0; n < 200; n += 1) story.react(channels[0]!, 1, String(1000 + n), '👍');
    await timelines.store.commit(batch(0));
    for (const channel of channels) {
      const page = await timelines.reader.page(channel, { limit: 50 }, ANN);
      expect(page.map((row) => row.ordinal)).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    }
    const row = await timelines.reader.message(channels[0]!, messageId(channels[0]!, 1), ANN);
    expect(row?.reactions).toEqual([{ emoji: '👍', count: 200, me: false }]);
  });
});
