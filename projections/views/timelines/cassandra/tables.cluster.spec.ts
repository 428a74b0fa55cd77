import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../schemas/clock.ts';
import { messageId, Story } from '../../../testing.ts';
import { type ChannelChecksum, checksumOf, checksums, differingMessages } from './checksums.ts';
import { openCassandraTimelines } from './store.ts';
import { createGeneration, dropGeneration, listGenerations, tablesOf } from './tables.ts';
import { smallTimelines, type TestCassandra, testCassandra } from './testing.ts';

const ANN = '10';
const BOB = '11';
const CHANNELS = Array.from({ length: 30 }, (_, n) => String(n + 100));

const story = () => {
  const told = new Story();
  for (const channel of CHANNELS) {
    for (let n = 0; n < 7; n += 1) told.post(channel, ANN);
    told.edit(channel, 2, ANN);
    told.remove(channel, 3, ANN);
    told.react(channel, 4, BOB, '👍');
  }
  return told;
};

const all = async (found: AsyncIterable<ChannelChecksum>): Promise<readonly ChannelChecksum[]> => {
  const list: ChannelChecksum[] = [];
  for await (const one of found) list.push(one);
  return list;
};

describe('generations of timelines', () => {
  let cassandra: TestCassandra;
  beforeAll(async () => {
    cassandra = await testCassandra();
  });
  afterAll(() => cassandra.drop());

  it('can be created, listed and dropped side by side', async () => {
    const { client } = cassandra;
    const old = await cassandra.generation();
    const next = await cassandra.generation();
    await createGeneration(client, next);
    expect(await listGenerations(client)).toEqual([old, next]);
    const told = new Story();
    told.post('30', ANN);
    const batch = { partition: 0, from: 0, events: told.log.all, through: 1 };
    const [ofOld, ofNext] = [old, next].map((generation) =>
      openCassandraTimelines({ clock: systemClock.monotonic, client, generation, partitions: 1 }),
    );
    await ofOld!.store.commit(batch);
    expect(await ofNext!.reader.page('30', { limit: 5 }, ANN)).toEqual([]);
    expect(await ofNext!.store.checkpoints()).toEqual([0]);
    await ofNext!.store.commit(batch);
    await dropGeneration(client, old);
    await dropGeneration(client, old);
    expect(await listGenerations(client)).toEqual([next]);
    expect(await ofNext!.reader.page('30', { limit: 5 }, ANN)).toHaveLength(1);
    await dropGeneration(client, next);
  });

  it('of an earlier version get the new columns, and return their messages unchanged', async () => {
    const { client } = cassandra;
    const generation = 100;
    const { messages } = tablesOf(generation);
    await client.define(
      `CREATE TABLE ${messages} (
      channel_id bigint, bucket int, id bigint,
      ordinal bigint, sequence bigint, position bigint, author bigint, time bigint, reply_to bigint, flags int, nonce text,
      edited_time bigint, mentions text, sealed_by bigint, box text, sealed_in text,
      deleted boolean, reactions map<text, bigint>, changed bigint,
      PRIMARY KEY ((channel_id, bucket), id)) WITH CLUSTERING ORDER BY (id DESC)`,
      async () => (await listGenerations(client)).includes(generation),
    );
    await createGeneration(client, generation);
    await createGeneration(client, generation);
    const timelines = smallTimelines(client, generation, 5000);
    const told = new Story();
    told.post('30', ANN);
    told.post('30', ANN, { replyTo: messageId('30', 1) });
    await timelines.apply(told.log.all);
    const where = 'WHERE channel_id = ? AND bucket = ? AND id = ?';
    for (const ordinal of [1, 2])
      await client.execute(`DELETE type FROM ${messages} ${where}`, [30n, 0, BigInt(messageId('30', ordinal))]);
    const system = told.post('30', ANN, { replyTo: messageId('30', 2) });
    Object.assign(system.data, { messageType: 6 });
    await timelines.apply([system]);
    const page = await timelines.reader.page('30', { limit: 5 }, ANN);
    expect(page.map(({ type }) => type)).toEqual([6, 19, 0]);
  });

  it('must be rebuilt if tables are missing', async () => {
    const { store } = openCassandraTimelines({
      clock: systemClock.monotonic,
      client: cassandra.client,
      generation: 404,
      partitions: 1,
    });
    const failure = await store.checkpoints().catch((error: unknown) => error);
    expect(store.classify(failure)).toBe('damaged');
  });

  it('have equal checksums however they were built and however wide their buckets are', async () => {
    const straight = await cassandra.generation();
    const other = await cassandra.generation();
    const events = story().log.all;
    await smallTimelines(cassandra.client, straight, 2).apply(events);
    const timelines = smallTimelines(cassandra.client, other, 5000);
    for (let at = events.length; at > 0; at -= 50) await timelines.apply(events.slice(Math.max(0, at - 50), at));
    const found = await all(checksums(cassandra.client, straight));
    expect(await all(checksums(cassandra.client, other))).toEqual(found);
    expect(new Set(found.map((one) => one.channelId))).toEqual(new Set(CHANNELS));
    expect(new Set(found.map((one) => one.checksum)).size).toBe(CHANNELS.length);
    expect(found.every((one) => one.through === 10 && one.count === 7)).toBe(true);
  });

  it('have different checksums when a row, its text or a reaction is missing', async () => {
    const generation = await cassandra.generation();
    const timelines = smallTimelines(cassandra.client, generation, 2);
    const told = story();
    await timelines.apply(told.log.all);
    const channel = CHANNELS[0]!;
    const first = await checksumOf(cassandra.client, generation, channel);
    const seen = new Set([first.checksum]);
    let applied = told.log.all.length;
    for (const change of [
      () => told.unreact(channel, 4, BOB, '👍'),
      () => told.edit(channel, 5, ANN),
      () => told.remove(channel, 5, ANN),
      () => told.post(channel, ANN),
    ]) {
      change();
      await timelines.apply(told.since(applied));
      applied = told.log.all.length;
      seen.add((await checksumOf(cassandra.client, generation, channel)).checksum);
    }
    expect(seen.size).toBe(5);
    expect(await checksumOf(cassandra.client, generation, CHANNELS[1]!)).toMatchObject({ count: 7, through: 10 });
  });

  it('report that a channel changed while it was read', async () => {
    const generation = await cassandra.generation();
    const timelines = smallTimelines(cassandra.client, generation, 2);
    const told = story();
    await timelines.apply(told.log.all);
    let settled = true;
    const channel = CHANNELS[0]!;
    for (let n = 0; settled && n < 50; n += 1) {
      const before = told.log.all.length;
      told.react(channel, 1, String(1000 + n), '🎉');
      const [sum] = await Promise.all([
        checksumOf(cassandra.client, generation, channel),
        timelines.apply(told.since(before)),
      ]);
      settled = sum.through !== undefined;
    }
    expect(settled).toBe(false);
    const { through } = await timelines.reader.facts(channel, messageId(channel, 1));
    expect((await checksumOf(cassandra.client, generation, channel)).through).toBe(through);
  });

  it('list the messages that differ, except those that one generation has yet to reach', async () => {
    const [one, other] = [await cassandra.generation(), await cassandra.generation()];
    const ahead = smallTimelines(cassandra.client, one, 2);
    const behind = smallTimelines(cassandra.client, other, 3);
    const told = story();
    await ahead.apply(told.log.all);
    await behind.apply(told.log.all);
    const channel = CHANNELS[0]!;
    const differing = () => differingMessages(cassandra.client, [one, other], channel);
    expect(await differing()).toEqual([]);
    const before = told.log.all.length;
    told.post(channel, ANN);
    told.edit(channel, 6, ANN);
    told.react(channel, 1, BOB, '🎉');
    await ahead.apply(told.since(before));
    expect(await differing()).toEqual([]);
    const where = 'WHERE channel_id = ? AND bucket = ? AND id = ?';
    const at = (bucket: number, ordinal: number) => [BigInt(channel), bucket, BigInt(messageId(channel, ordinal))];
    const spoiled = `UPDATE timeline_messages_g${one} SET flags = 4 ${where}`;
    await cassandra.client.execute(spoiled, at(0, 2));
    expect(await differing()).toEqual([messageId(channel, 2)]);
    await cassandra.client.execute(`DELETE FROM timeline_messages_g${other} ${where}`, at(1, 5));
    expect(await differing()).toEqual([messageId(channel, 5), messageId(channel, 2)]);
    await behind.apply(told.since(before));
    expect(await differing()).toEqual([messageId(channel, 5), messageId(channel, 2)]);
  });
});
