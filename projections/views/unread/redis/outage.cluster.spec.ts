import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../schemas/clock.ts';
import { StoreUnavailable } from '../../../../schemas/errors.ts';
import { TimeSlices } from '../../../../schemas/time-slices.ts';
import type { OwnServices } from '../../../../services/port.ts';
import { privateServices } from '../../../../services/private.ts';
import type { Redis } from '../../../../stores/redis/connection.ts';
import { connected } from '../../../../stores/redis/testing.ts';
import { fastest, memoryDatabase } from '../../../../stores/testing.ts';
import { CheckpointMoved } from '../../../engine/port.ts';
import { Story } from '../../../testing.ts';
import { GuildCache, SqliteGuildReader } from '../../guild-views/sqlite/reader.ts';
import { guildTables } from '../../guild-views/sqlite/writer.ts';
import { UnreadFromLog, unreadWithFallback } from '../from-log.ts';
import { Floors, Unread } from '../reader.ts';
import { eventsOf, type TestUnread, testUnread } from '../testing.ts';
import type { UnreadReader } from '../view.ts';
import type { RedisUnreadStore } from './store.ts';

const ANN = '10';
const BOB = '11';
const CHANNELS = ['30', '31', '32', '33'];
const PARTITIONS = 3;
const BATCH = 7;

const guilds = new SqliteGuildReader(memoryDatabase(guildTables), new GuildCache(), new TimeSlices(systemClock));

describe('unread counts', () => {
  let own: OwnServices;
  let redis: Redis;
  let story: Story;
  let unread: TestUnread;
  let store: RedisUnreadStore;
  let through: number[];
  /** Reads from Redis alone, from the log alone, and as in production. */
  let stored: UnreadReader;
  let fromLog: UnreadFromLog;
  let served: UnreadReader;

  beforeAll(async () => {
    own = await privateServices();
    await own.start('redis');
  });
  afterAll(() => own.destroy());

  beforeEach(async () => {
    redis = await connected({ url: own.urls.redis, openMs: 100 });
    story = new Story();
    unread = testUnread(redis, PARTITIONS, () => story.log.all.length);
    store = unread.store();
    through = new Array<number>(PARTITIONS).fill(0);
    const floors = new Floors(guilds, story.log);
    stored = new Unread(unread.rows(), floors);
    fromLog = new UnreadFromLog(story.log, floors);
    served = unreadWithFallback(stored, fromLog);
  });
  afterEach(() => redis.close());

  /** One step of a projector on a partition. @returns false if Redis is down */
  const step = async (partition: number): Promise<boolean> => {
    const from = through[partition]!;
    const to = Math.min(story.log.all.length, from + BATCH);
    const events = eventsOf(story.log.all, { partition, partitions: PARTITIONS, from, through: to });
    try {
      await store.commit({ partition, from, events, through: to });
      through[partition] = to;
      return true;
    } catch (error) {
      if (error instanceof CheckpointMoved) through[partition] = error.actual;
      else if (!(error instanceof StoreUnavailable)) throw error;
      return error instanceof CheckpointMoved;
    }
  };
  /** All counts from Redis alone. */
  const caughtUp = async (): Promise<boolean> => {
    for (let partition = 0; partition < PARTITIONS; partition += 1)
      do if (!(await step(partition))) return false;
      while (through[partition]! < story.log.all.length);
    return true;
  };
  const told = (rounds: number) => {
    for (let n = 0; n < rounds; n += 1)
      for (const channel of CHANNELS)
        story.post(channel, ANN, { mentions: { users: n % 2 === 0 ? [BOB] : [], everyone: n % 5 === 0 } });
  };
  const counts = async (reader: UnreadReader) =>
    (await reader.readStates(BOB, CHANNELS)).map(({ unread: count, mentions }) => [count, mentions]);

  it('are answered during and after an outage of Redis, and equal those of the log', async () => {
    told(10);
    await caughtUp();
    expect(await counts(stored)).toEqual(await counts(fromLog));
    await own.kill('redis');
    story.read(BOB, { [CHANNELS[0]!]: 3 });
    told(2);
    await expect(counts(stored)).rejects.toThrow(StoreUnavailable);
    const answered = async () =>
      expect(await counts(served)).toEqual([9, 12, 12, 12].map((count) => [count, expect.any(Number)]));
    expect(await fastest(answered)).toBeLessThan(500);
    expect(await counts(served)).toEqual(await counts(fromLog));
    expect(await caughtUp()).toBe(false);
    await own.start('redis');
    await expect.poll(caughtUp, { timeout: 20_000 }).toBe(true);
    await store.flush();
    expect(await counts(stored)).toEqual(await counts(fromLog));
  });

  it('never fall when Redis is emptied while they are written and read', async () => {
    told(50);
    await caughtUp();
    let before = await counts(served);
    let refilled = 0;
    for (let n = 0; n < 150; n += 1) {
      if (n % 50 === 10) await redis.run((client) => client.flushall());
      if (n % 10 === 0) told(1);
      await step(n % PARTITIONS);
      const now = await counts(served);
      for (const [i, [count, mentions]] of now.entries()) {
        expect(count).toBeGreaterThanOrEqual(before[i]![0]!);
        expect(mentions).toBeGreaterThanOrEqual(before[i]![1]!);
      }
      before = now;
      if (n % 50 === 49) {
        await caughtUp();
        await store.flush();
        // From Redis alone again.
        expect(await counts(stored)).toEqual(await counts(fromLog));
        refilled += 1;
      }
    }
    expect(refilled).toBe(3);
  });

  it('are right again after Redis came back with less than it had acknowledged', async () => {
    told(5);
    await caughtUp();
    const saved = new Map<string, Buffer>();
    for await (const { server, keys } of redis.scan(unread.keys.pattern))
      for (const key of keys) saved.set(key, await server.dumpBuffer(key));
    told(5);
    await caughtUp();
    const right = await counts(stored);
    // A replica that had not received everything has become the master.
    await unread.empty();
    await redis.run((client) => Promise.all([...saved].map(([key, value]) => client.restore(key, 0, value))));
    await expect(counts(stored)).rejects.toThrow(StoreUnavailable);
    expect(await counts(served)).toEqual(right);
    // The next batch of each partition notices it.
    const agree = async () => {
      told(1);
      await caughtUp();
      await store.flush();
      return isDeepStrictEqual(await counts(stored).catch(() => undefined), await counts(fromLog));
    };
    await expect.poll(agree).toBe(true);
  });
});
