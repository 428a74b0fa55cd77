import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../schemas/clock.ts';
import { TimeSlices } from '../../../../schemas/time-slices.ts';
import type { Redis } from '../../../../stores/redis/connection.ts';
import { connected, redisCluster, type TestRedisCluster } from '../../../../stores/redis/testing.ts';
import { memoryDatabase } from '../../../../stores/testing.ts';
import { partitionOf } from '../../../engine/partitions.ts';
import { CheckpointMoved } from '../../../engine/port.ts';
import type { Story } from '../../../testing.ts';
import { SqliteUnread, unreadTables } from '../sqlite.ts';
import { CHANNELS, eventsOf, type TestUnread, tellUnread, testUnread, USERS, unreadStep } from '../testing.ts';
import { type UnreadRows, unreadChanges } from '../view.ts';

const PARTITIONS = 3;

/** What happens to a partition next: its next events are stored, by its current writer or by another after a crash. */
interface Turn {
  readonly partition: number;
  readonly events: number;
  readonly what: 'go on' | 'again' | 'crash' | 'repair' | 'lose all';
}

const turn: fc.Arbitrary<Turn> = fc.record({
  partition: fc.nat(PARTITIONS - 1),
  events: fc.integer({ min: 1, max: 30 }),
  what: fc.oneof(
    { weight: 6, arbitrary: fc.constant('go on' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('again' as const, 'crash' as const, 'repair' as const, 'lose all' as const),
    },
  ),
});

const answers = async (rows: UnreadRows) => {
  const all = [];
  for (const userId of USERS) {
    const floors = CHANNELS.map((channelId) => ({ channelId, floor: 2 }));
    all.push(await rows.states(userId, floors), await rows.unmarked(userId, CHANNELS));
  }
  return [...all, [...(await rows.heads(CHANNELS))]];
};

/** Performs the turns, then stores what is missing. */
const follow = async (unread: TestUnread, story: Story, turns: readonly Turn[]): Promise<void> => {
  const { all } = story.log;
  const through = new Array<number>(PARTITIONS).fill(0);
  let store = unread.store();
  const commit = async (partition: number, to: number): Promise<void> => {
    const from = through[partition]!;
    const events = eventsOf(all, { partition, partitions: PARTITIONS, from, through: to });
    try {
      await store.commit({ partition, from, events, through: to });
      through[partition] = to;
    } catch (error) {
      if (!(error instanceof CheckpointMoved)) throw error;
      through[partition] = error.actual;
    }
  };
  for (const { partition, events, what } of turns) {
    const before = through[partition]!;
    if (what === 'lose all') await unread.empty();
    if (what === 'crash') {
      store = unread.store();
      through.splice(0, PARTITIONS, ...(await store.checkpoints()));
    }
    if (what === 'repair') {
      // Repairs from some event of a stream up to what the partition holds of it.
      const held = eventsOf(all, { partition, partitions: PARTITIONS, from: 0, through: before });
      const stream = held.at(events % Math.max(1, held.length))?.stream;
      const its = held.filter((event) => event.stream === stream);
      await unread.writer.apply(unreadChanges(its.slice(events % Math.max(1, its.length))));
    }
    await commit(partition, Math.min(all.length, through[partition]! + events));
    if (what === 'again' && through[partition]! > before) {
      through[partition] = before;
      store = unread.store();
      await commit(partition, Math.min(all.length, before + events));
    }
  }
  for (let partition = 0; partition < PARTITIONS; partition += 1)
    for (let tries = 0; through[partition]! < all.length || tries === 0; tries += 1)
      await commit(partition, all.length);
  // The next commit would notice an emptied store, but here it would come after the end.
  const stands = await store.checkpoints();
  for (const [partition, actual] of stands.entries()) {
    through[partition] = actual;
    while (through[partition]! < all.length) await commit(partition, all.length);
  }
  await store.flush();
};

describe.each(['one server', 'a Redis Cluster'])('unread counts on %s', (where) => {
  let redis: Redis;
  let cluster: TestRedisCluster | undefined;
  beforeAll(async () => {
    if (where === 'a Redis Cluster') cluster = await redisCluster();
    redis = await connected(cluster === undefined ? undefined : { url: cluster.url });
  }, 30_000);
  afterAll(async () => {
    redis.close();
    await cluster?.stop();
  });

  it('equal those of position order, however partitions are stored, repeated, repaired and lost', async () => {
    expect(
      new Set(['read-10', 'channel-30', 'channel-31', 'channel-32'].map((s) => partitionOf(s, PARTITIONS))).size,
    ).toBe(3);
    await fc.assert(
      fc.asyncProperty(
        fc.array(unreadStep, { maxLength: 60 }),
        fc.array(turn, { maxLength: 25 }),
        async (steps, turns) => {
          const story = tellUnread(steps);
          fc.pre(story.log.all.length > 0);
          const db = memoryDatabase(unreadTables);
          const model = new SqliteUnread(db, new TimeSlices(systemClock));
          model.apply(unreadChanges(story.log.all));
          const unread = testUnread(redis, PARTITIONS, () => story.log.all.length);
          try {
            await follow(unread, story, turns);
            expect(await answers(unread.rows())).toEqual(await answers(model));
          } finally {
            await unread.empty();
            db.close();
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('that were lost are withheld until they are right again', async () => {
    const step = { action: 'post', user: 0, channel: 0, ordinal: 1, named: [1], everyone: false } as const;
    const story = tellUnread(Array.from({ length: 40 }, (_, n) => ({ ...step, channel: n % 3, user: n % 2 })));
    const { all } = story.log;
    const unread = testUnread(redis, PARTITIONS, () => all.length);
    await follow(unread, story, []);
    const old = unread.rows();
    const right = await answers(old);
    await unread.empty();
    const store = unread.store();
    let refused = 0;
    for (let partition = 0; partition < PARTITIONS; partition += 1)
      for (let from = 0; from < all.length; from += 5) {
        // One process that saw them complete, and one that has just started.
        for (const rows of [old, unread.rows()]) {
          await expect(answers(rows)).rejects.toMatchObject({ store: 'unread' });
          refused += 1;
        }
        const events = eventsOf(all, { partition, partitions: PARTITIONS, from, through: from + 5 });
        await store.commit({ partition, from, events, through: from + 5 });
      }
    expect(refused).toBeGreaterThan(10);
    expect(await answers(old)).toEqual(right);
    expect(await answers(unread.rows())).toEqual(right);
    await unread.empty();
  });
});
