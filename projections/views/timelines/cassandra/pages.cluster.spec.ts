import { afterAll, beforeAll, describe, expect, it, type MockInstance, vi } from 'vitest';
import { messageId, Story } from '../../../testing.ts';
import type { PageQuery } from '../view.ts';
import { type SmallTimelines, smallTimelines, type TestCassandra, testCassandra } from './testing.ts';

const ANN = '10';
const CHANNEL = '30';
const BUCKET = 10;
const LAST = 95;

describe('a page of a channel of many buckets', () => {
  let cassandra: TestCassandra;
  let timelines: SmallTimelines;
  let asked: MockInstance;
  const story = new Story();
  const id = (ordinal: number) => messageId(CHANNEL, ordinal);

  beforeAll(async () => {
    cassandra = await testCassandra();
    timelines = smallTimelines(cassandra.client, await cassandra.generation(), BUCKET);
    for (let n = 0; n < LAST; n += 1) story.post(CHANNEL, ANN);
    for (let ordinal = 31; ordinal <= 58; ordinal += 1) story.remove(CHANNEL, ordinal, ANN);
    await timelines.apply(story.log.all);
    asked = vi.spyOn(cassandra.client.client, 'execute');
  });
  afterAll(() => cassandra.drop());

  /** The ordinals of a page, the message partitions that were read, and how often the channel's own partition was. */
  const read = async (query: PageQuery) => {
    asked.mockClear();
    const ordinals = (await timelines.reader.page(CHANNEL, query, ANN)).map((row) => row.ordinal);
    const calls = asked.mock.calls as [string, unknown[]][];
    const ofMessages = calls.filter(([query]) => query.includes('timeline_messages'));
    const partitions = new Set(ofMessages.map(([, params]) => String(params[1]))).size;
    return { ordinals, partitions, places: calls.length - ofMessages.length };
  };
  const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, n) => from - n);

  it('runs from the newest message backwards', async () => {
    expect((await read({ limit: BUCKET })).ordinals).toEqual(down(95, 86));
  });

  const shown = [...down(30, 1), ...down(95, 59)].sort((a, b) => a - b);
  const older = (ordinal: number, limit: number) =>
    shown
      .filter((one) => one < ordinal)
      .slice(-limit)
      .reverse();
  const newer = (ordinal: number, limit: number) =>
    shown
      .filter((one) => one > ordinal)
      .slice(0, limit)
      .reverse();

  it('holds the right messages from whatever message it starts', async () => {
    for (let ordinal = 0; ordinal <= LAST + 1; ordinal += 1) {
      expect((await read({ before: id(ordinal), limit: 7 })).ordinals).toEqual(older(ordinal, 7));
      expect((await read({ after: id(ordinal), limit: 7 })).ordinals).toEqual(newer(ordinal, 7));
      expect((await read({ around: id(ordinal), limit: 7 })).ordinals).toEqual([
        ...newer(ordinal - 1, 4),
        ...older(ordinal, 3),
      ]);
    }
  });

  it('reads at most two message partitions and the channel’s own if nothing is deleted', async () => {
    const limits = [1, 7, BUCKET];
    for (const limit of limits) {
      const queries: PageQuery[] = [{ limit }];
      for (const ordinal of [0, 1, 2, 5, 9, 10, 11, 12, 19, 20, 75, 80, 81, 90, 91, 94, 95, 96])
        queries.push({ before: id(ordinal), limit }, { after: id(ordinal), limit }, { around: id(ordinal), limit });
      for (const query of queries) {
        const { partitions, places, ordinals } = await read(query);
        if (ordinals.some((ordinal) => ordinal > 21 && ordinal < 69)) continue;
        expect({ query, partitions, places }).toEqual({
          query,
          partitions: expect.toSatisfy((n: number) => n <= 2),
          places: expect.toSatisfy((n: number) => n <= 2),
        });
      }
    }
  });

  it('reads one partition if the page lies within one', async () => {
    expect(await read({ before: id(90), limit: 5 })).toEqual({ ordinals: down(89, 85), partitions: 1, places: 1 });
  });

  it('skips buckets full of deleted messages', async () => {
    expect((await read({ before: id(60), limit: 3 })).ordinals).toEqual([59, 30, 29]);
    expect((await read({ after: id(29), limit: 3 })).ordinals).toEqual([60, 59, 30]);
  });

  it('finds messages of several buckets with one query each', async () => {
    asked.mockClear();
    const wanted = [1, 2, 35, 36, 95];
    const found = await timelines.reader.messages(CHANNEL, [...wanted.map(id), '404', '1'], ANN);
    expect(found.map((row) => row.ordinal).sort((a, b) => a - b)).toEqual(wanted);
    expect(asked.mock.calls.length).toBe(2 + 3);
    expect(await timelines.reader.deletedAmong(CHANNEL, wanted.map(id))).toEqual(new Set([id(35), id(36)]));
  });

  it('is complete when the server answers in several result pages', async () => {
    const { queryOptions } = Reflect.get(cassandra.client.client, 'options') as { queryOptions: { fetchSize: number } };
    const { fetchSize } = queryOptions;
    queryOptions.fetchSize = 3;
    try {
      expect((await read({ limit: BUCKET })).ordinals).toEqual(down(95, 86));
      const all = Array.from({ length: LAST }, (_, n) => id(n + 1));
      expect(await timelines.reader.messages(CHANNEL, all, ANN)).toHaveLength(LAST);
    } finally {
      queryOptions.fetchSize = fetchSize;
    }
  });

  it('is found for more ids than one query takes', async () => {
    const all = Array.from({ length: LAST }, (_, n) => id(n + 1));
    expect(await timelines.reader.messages(CHANNEL, [...all, ...all], ANN)).toHaveLength(LAST);
    expect((await timelines.reader.deletedAmong(CHANNEL, all)).size).toBe(28);
  });
});
