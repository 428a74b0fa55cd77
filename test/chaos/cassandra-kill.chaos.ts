import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messageId, Story } from '../../projections/testing.ts';
import { openCassandraTimelines } from '../../projections/views/timelines/cassandra/store.ts';
import { createGeneration } from '../../projections/views/timelines/cassandra/tables.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { OwnServices } from '../../services/port.ts';
import { privateServices } from '../../services/private.ts';
import { openCassandra } from '../../stores/cassandra/connection.ts';

const CHANNEL = '30';
const BATCH = 20;

describe('a Cassandra that is killed and started again', () => {
  let own: OwnServices;
  beforeAll(async () => {
    own = await privateServices();
    await own.start('cassandra');
  });
  afterAll(() => own.destroy());

  it('holds what it acknowledged; everything from the first refused batch on is sent again', async () => {
    const client = await openCassandra({
      clock: systemClock,
      url: own.urls.cassandra,
      keyspace: 'killed',
      timeoutMs: 1000,
      openMs: 500,
    });
    await createGeneration(client, 1);
    const { reader, store } = openCassandraTimelines({
      clock: systemClock.monotonic,
      client,
      generation: 1,
      partitions: 1,
    });
    const story = new Story();
    let acknowledged = 0;
    await store.checkpoints();
    const next = async () => {
      const wanted = acknowledged + BATCH;
      while (story.log.all.length < wanted) story.post(CHANNEL, '10');
      const events = story.log.all.slice(acknowledged, wanted);
      await store.commit({ partition: 0, from: acknowledged, events, through: wanted });
      acknowledged = wanted;
    };
    while (acknowledged < 2000) await next();
    const killed = own.kill('cassandra');
    let failure: unknown;
    while (failure === undefined) await next().catch((error: unknown) => (failure = error));
    await killed;
    expect(store.classify(failure)).toBe('transient');

    await own.start('cassandra');
    const ids = Array.from({ length: acknowledged }, (_, n) => messageId(CHANNEL, n + 1));
    const found = () => reader.messages(CHANNEL, ids, '10');
    await expect
      .poll(
        () =>
          found().then(
            (rows) => rows.length,
            () => 0,
          ),
        { timeout: 30_000 },
      )
      .toBe(acknowledged);
    await expect
      .poll(
        () =>
          next().then(
            () => true,
            () => false,
          ),
        { timeout: 30_000 },
      )
      .toBe(true);
    expect(await store.checkpoints()).toEqual([acknowledged]);
    expect((await reader.page(CHANNEL, { limit: 1 }, '10'))[0]?.ordinal).toBe(acknowledged);
    await client.close();
  });
});
