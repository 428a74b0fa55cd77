import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fold } from '../../../domain/decider.ts';
import { CheckpointMoved } from '../../engine/port.ts';
import { Story } from '../../testing.ts';
import { SNAPSHOT_EVERY } from '../../views/snapshots/view.ts';
import { type TestPostgres, type TestViews, testPostgres } from './testing.ts';

const GUILD = '20';
const ANN = '10';
const BOB = '11';

const counting: Fold<number> = {
  version: 1,
  initial: () => 0,
  evolve: (count) => count + 1,
  toJson: (count) => count,
  fromJson: (json) => json as number,
};

describe('the partitions of the guild views', () => {
  let postgres: TestPostgres;
  let generation: number;
  let now: number;
  let views: TestViews;
  let story: Story;
  const again = () => postgres.views(generation, { clock: () => now });
  const batch = (from: number, partition = 1) => ({
    partition,
    from,
    events: story.since(from),
    through: story.log.all.length,
  });
  const empty = (from: number, through: number, partition = 1) => ({ partition, from, events: [], through });
  const count = async () => (await views.guilds.guild(GUILD))?.memberCount;

  beforeAll(async () => {
    postgres = await testPostgres();
  });
  afterAll(() => postgres.drop());
  beforeEach(async () => {
    generation = await postgres.generation();
    now = 0;
    views = again();
    story = new Story();
  });

  it('start at position 0', async () => {
    expect(await views.store.checkpoints()).toEqual([0, 0, 0, 0]);
  });

  it('are at the end of their last batch, and hold its rows', async () => {
    story.guild(GUILD, ANN);
    story.join(GUILD, ANN);
    await views.store.commit({ ...batch(0), through: 7 });
    expect(await again().store.checkpoints()).toEqual([0, 7, 0, 0]);
    expect(await count()).toBe(1);
  });

  it('accept a batch again after its answer was lost', async () => {
    story.guild(GUILD, ANN);
    story.join(GUILD, ANN);
    await views.store.commit(batch(0));
    await views.store.commit(batch(0));
    await again().store.commit(batch(0));
    expect(await count()).toBe(1);
    story.join(GUILD, BOB);
    await views.store.commit(batch(2));
    expect(await count()).toBe(2);
  });

  it('hold nothing of a batch that failed part-way, and store it once on the next try', async () => {
    story.guild(GUILD, ANN);
    story.join(GUILD, ANN);
    await views.store.commit(batch(0));
    story.join(GUILD, BOB);
    const bad = story.user('12');
    const { userId } = bad.data;
    Object.assign(bad.data, { userId: 'nobody' });
    const failure = await views.store.commit(batch(2)).catch((error: unknown) => error);
    expect(views.store.classify(failure)).toBe('permanent');
    expect(await again().store.checkpoints()).toEqual([0, 2, 0, 0]);
    expect(await count()).toBe(1);
    Object.assign(bad.data, { userId });
    await views.store.commit(batch(2));
    expect(await count()).toBe(2);
  });

  it('let one of two writers of the same batch store it, and tell the other one', async () => {
    story.guild(GUILD, ANN);
    story.join(GUILD, ANN);
    const own = { ...batch(0), through: 10 };
    const other = again().store;
    await other.checkpoints();
    await views.store.checkpoints();
    const outcomes = await Promise.allSettled([views.store.commit(own), other.commit({ ...own, through: 20 })]);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.map(({ reason }) => reason)).toEqual([expect.any(CheckpointMoved)]);
    expect(await count()).toBe(1);
  });

  it('refuse a batch after another process has moved them, and store nothing', async () => {
    await views.store.checkpoints();
    story.guild(GUILD, ANN);
    await again().store.commit({ ...batch(0), through: 90 });
    story.join(GUILD, ANN);
    const refused = views.store.commit({ ...batch(1), from: 0 });
    await expect(refused).rejects.toThrow(CheckpointMoved);
    await expect(refused).rejects.toMatchObject({ actual: 90 });
    expect(await count()).toBe(0);
    await views.store.commit({ ...batch(1), from: 90, through: 100 });
    expect(await count()).toBe(1);
  });

  it('remember a batch without rows in memory only, for a second at most', async () => {
    await views.store.checkpoints();
    await views.store.commit(empty(0, 10, 1));
    story.post('30', ANN);
    await views.store.commit({ ...batch(0, 2), through: 20 });
    expect(await again().store.checkpoints()).toEqual([0, 0, 0, 0]);
    now = 1000;
    await views.store.commit(empty(10, 11, 1));
    expect(await again().store.checkpoints()).toEqual([0, 11, 20, 0]);
    await views.store.commit(empty(11, 12, 1));
    await views.store.flush();
    expect(await again().store.checkpoints()).toEqual([0, 12, 20, 0]);
  });

  it('store the heads of streams with a checkpoint, and none of them is lost when that fails', async () => {
    const heads = async () =>
      (await again().streams.page({ prefix: '', after: '', limit: 9 })).map(({ sequence }) => sequence);
    await views.store.checkpoints();
    story.post('30', ANN);
    await views.store.commit(batch(0));
    expect(await heads()).toEqual([]);
    story.post('30', ANN);
    story.post('31', ANN);
    await postgres.client.ask({ text: `ALTER TABLE views_g${generation}.stream_heads RENAME TO gone` });
    await views.store.commit(batch(1));
    await expect(views.store.flush()).rejects.toThrow('stream_heads');
    await postgres.client.ask({ text: `ALTER TABLE views_g${generation}.gone RENAME TO stream_heads` });
    expect(await again().store.checkpoints()).toEqual([0, 0, 0, 0]);
    await views.store.flush();
    expect(await heads()).toEqual([2, 1]);
    story.post('30', ANN);
    story.guild(GUILD, ANN);
    await views.store.commit(batch(3));
    expect(await heads()).toEqual([3, 1, 1]);
    await views.store.repair(story.log.all.slice(0, 2));
    expect(await heads()).toEqual([3, 1, 1]);
  });

  it('continue from a checkpoint in memory, whether or not it has been stored since', async () => {
    await views.store.checkpoints();
    story.guild(GUILD, ANN);
    await views.store.commit({ ...batch(0), from: 0, through: 30 });
    await views.store.commit(empty(30, 40));
    story.join(GUILD, ANN);
    await views.store.commit({ ...batch(1), from: 40, through: 50 });
    await views.store.commit(empty(50, 60));
    story.join(GUILD, BOB);
    await Promise.all([views.store.flush(), views.store.commit({ ...batch(2), from: 60, through: 70 })]);
    expect(await again().store.checkpoints()).toEqual([0, 70, 0, 0]);
    expect(await count()).toBe(2);
  });

  it('report that they were emptied, also for a batch without events once it would be stored', async () => {
    story.guild(GUILD, ANN);
    await views.store.commit(batch(0));
    await postgres.client.ask({ text: `TRUNCATE views_g${generation}.checkpoints` });
    story.join(GUILD, ANN);
    await expect(views.store.commit(batch(1))).rejects.toMatchObject({ actual: 0 });

    await views.store.commit({ ...batch(1), from: 0 });
    await postgres.client.ask({ text: `TRUNCATE views_g${generation}.checkpoints` });
    now = 1000;
    await expect(views.store.commit(empty(2, 5))).rejects.toMatchObject({ actual: 0 });
  });

  it('accept repairs any number of times, and stay at their checkpoints', async () => {
    story.guild(GUILD, ANN);
    await views.store.commit({ ...batch(0), through: 50 });
    story.user(BOB);
    story.channel('30', GUILD);
    story.invite('capped', GUILD, '30', ANN, 5);
    story.invite('open', GUILD, '30', ANN);
    story.redeem('capped', GUILD, BOB);
    story.redeem('capped', GUILD, ANN);
    story.join(GUILD, BOB, 'capped');
    story.leave(GUILD, BOB);
    story.join(GUILD, BOB, 'open');
    story.join(GUILD, ANN, 'open');
    const streams = new Set(story.since(1).map(({ stream }) => stream));
    for (const stream of [...streams, ...streams])
      await views.store.repair(story.log.all.filter((event) => event.stream === stream));
    const left = story.since(1).filter(({ type }) => type === 'member-left');
    await views.store.repair(left);
    const { guilds } = views;
    expect(await count()).toBe(2);
    expect(await guilds.members(GUILD, { limit: 5 })).toHaveLength(2);
    expect((await guilds.invite('capped'))?.uses).toBe(2);
    expect((await guilds.invite('open'))?.uses).toBe(2);
    expect(await guilds.user(BOB)).toBeDefined();
    expect(await again().store.checkpoints()).toEqual([0, 50, 0, 0]);
  });

  it('store the snapshot of a long stream with its rows', async () => {
    const foldOf = (stream: string) => (stream.startsWith('channel-') ? (counting as Fold<unknown>) : undefined);
    const { store, snapshots } = postgres.views(generation, { foldOf, log: story.log });
    for (let n = 0; n < SNAPSHOT_EVERY + 10; n += 1) story.post('30', ANN);
    await store.commit(batch(0));
    expect(await snapshots.latest('channel-30')).toEqual({
      stream: 'channel-30',
      sequence: SNAPSHOT_EVERY,
      version: 1,
      state: SNAPSHOT_EVERY,
    });
    expect(await again().store.checkpoints()).toEqual([0, SNAPSHOT_EVERY + 10, 0, 0]);
    const before = story.log.all.length;
    for (let n = 0; n < SNAPSHOT_EVERY; n += 1) story.post('30', ANN);
    const somebody = again().store;
    await somebody.checkpoints();
    const other = new Story();
    other.guild(GUILD, ANN);
    await somebody.commit({ partition: 1, from: before, events: other.log.all, through: before + 1 });
    await expect(store.commit(batch(before))).rejects.toThrow(CheckpointMoved);
    await store.commit({ ...batch(before), from: before + 1 });
    expect((await snapshots.latest('channel-30'))?.state).toBe(2 * SNAPSHOT_EVERY);
  });

  it('accept every name that the log accepts', async () => {
    const names = ['a\u0000b', 'half \ud83d', '"\\u0000"', "'); DROP TABLE guilds; --", '🎉'];
    const guilds = names.map((name, at) => Object.assign(story.guild(`5${at}`, ANN).data, { name }).guildId);
    await views.apply(story.log.all);
    const found = await Promise.all(guilds.map((id) => views.guilds.guild(id)));
    expect(found.map((row) => row?.name)).toEqual(names);
  });
});
