import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../schemas/clock.ts';
import { StoreUnavailable } from '../../../../schemas/errors.ts';
import { type Cassandra, openCassandra } from '../../../../stores/cassandra/connection.ts';
import { fastest } from '../../../../stores/testing.ts';
import { Story } from '../../../testing.ts';
import { openCassandraTimelines } from './store.ts';
import { proxied, randomKeyspace, type TestCassandra, testCassandra } from './testing.ts';

const ANN = '10';

describe('when Cassandra is unavailable', () => {
  let cassandra: TestCassandra;
  let generation: number;
  const open: Cassandra[] = [];

  beforeAll(async () => {
    cassandra = await testCassandra();
    generation = await cassandra.generation();
  });
  afterAll(() => cassandra.drop());
  afterEach(async () => {
    for (const client of open.splice(0)) await client.close();
  });

  const through = async (url: string, settings: { timeoutMs?: number; openMs?: number } = {}) => {
    const client = await openCassandra({ clock: systemClock, url, keyspace: cassandra.client.keyspace, ...settings });
    open.push(client);
    return openCassandraTimelines({ clock: systemClock.monotonic, client, generation, partitions: 1 });
  };

  it('a starting process waits for it, and says so', async () => {
    const proxy = await proxied();
    await proxy.cut();
    const waits: string[] = [];
    const opened = through(proxy.url);
    const failed = openCassandra({
      clock: systemClock,
      url: proxy.url,
      keyspace: cassandra.client.keyspace,
      onWaiting: (reason, nextMs) => {
        waits.push(reason);
        expect(nextMs).toBeGreaterThan(0);
        if (waits.length === 2) void proxy.mend();
      },
    });
    open.push(await failed);
    expect(waits.length).toBeGreaterThanOrEqual(2);
    expect(waits[0]).toMatch(/ECONNREFUSED/);
    expect(await (await opened).store.checkpoints()).toEqual([0]);
    await proxy.cut();
  });

  it('the wait can be cancelled', async () => {
    const proxy = await proxied();
    await proxy.cut();
    const stop = new AbortController();
    const waiting = openCassandra({
      clock: systemClock,
      url: proxy.url,
      keyspace: randomKeyspace(),
      signal: stop.signal,
      onWaiting: () => stop.abort(),
    });
    await expect(waiting).rejects.toThrow(StoreUnavailable);
  });

  it('settings that cannot be right fail at once', async () => {
    const { keyspace } = cassandra.client;
    await expect(openCassandra({ clock: systemClock, url: 'cassandra://nowhere', keyspace })).rejects.toThrow(
      TypeError,
    );
    const proxy = await proxied();
    await expect(openCassandra({ clock: systemClock, url: `${proxy.url}?dc=elsewhere`, keyspace })).rejects.toThrow(
      /elsewhere/,
    );
    await proxy.cut();
  });

  it('reads and writes report the outage, and both continue when it is back', async () => {
    const proxy = await proxied();
    const { reader, store } = await through(proxy.url, { openMs: 200 });
    const story = new Story();
    story.post('30', ANN);
    const batch = { partition: 0, from: 0, events: story.log.all, through: 1 };
    await store.checkpoints();
    await proxy.cut();
    for (let n = 0; n < 10; n += 1) {
      const failure = await store.commit(batch).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(StoreUnavailable);
      expect(store.classify(failure)).toBe('transient');
      await expect(reader.page('30', { limit: 5 }, ANN)).rejects.toMatchObject({ store: 'timelines' });
    }
    await proxy.mend();
    await expect
      .poll(() => store.commit(batch).then(() => 'stored', store.classify), { timeout: 20_000 })
      .toBe('stored');
    expect(await reader.page('30', { limit: 5 }, ANN)).toHaveLength(1);
    await proxy.cut();
  });

  it('a server that does not answer times out', async () => {
    const proxy = await proxied();
    const { reader } = await through(proxy.url, { timeoutMs: 300 });
    proxy.swallow();
    const unanswered = () => expect(reader.page('30', { limit: 5 }, ANN)).rejects.toThrow(StoreUnavailable);
    expect(await fastest(unanswered)).toBeLessThan(3000);
    await proxy.cut();
  });

  it('an event whose values cannot be stored fails permanently and leaves the breaker closed', async () => {
    const { reader, store } = openCassandraTimelines({
      clock: systemClock.monotonic,
      client: cassandra.client,
      generation,
      partitions: 1,
    });
    const story = new Story();
    const event = story.post('30', ANN);
    Object.assign(event.data, { replyTo: 'nobody' });
    for (let n = 0; n < 10; n += 1) {
      const failure = await store
        .commit({ partition: 0, from: 1, events: [event], through: 2 })
        .catch((error: unknown) => error);
      expect(store.classify(failure)).toBe('permanent');
    }
    expect(await reader.page('31', { limit: 5 }, ANN)).toEqual([]);
  });
});
