import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../schemas/clock.ts';
import { StoreUnavailable } from '../../../schemas/errors.ts';
import { ports } from '../../../services/endpoints.ts';
import type { OwnServices } from '../../../services/port.ts';
import { privateServices } from '../../../services/private.ts';
import { openPostgres, type Postgres, type PostgresOptions } from '../../../stores/postgres/connection.ts';
import { proxied } from '../../../stores/redis/testing.ts';
import { fastest } from '../../../stores/testing.ts';
import { Story } from '../../testing.ts';
import { type TestPostgres, testPostgres, viewsOn } from './testing.ts';
import { prepareGeneration } from './views.ts';

const GUILD = '20';

describe('when the PostgreSQL of the views is unavailable', () => {
  let postgres: TestPostgres;
  let generation: number;
  const open: Postgres[] = [];

  beforeAll(async () => {
    postgres = await testPostgres();
    generation = await postgres.generation();
  });
  afterAll(() => postgres.drop());
  afterEach(async () => {
    for (const client of open.splice(0)) await client.close();
  });

  const openAt = async (proxy: { readonly url: string }, options: Partial<PostgresOptions> = {}) => {
    const url = postgres.url.replace(/127\.0\.0\.1:\d+/, new URL(proxy.url).host);
    const client = await openPostgres({ clock: systemClock, url, ...options });
    open.push(client);
    return viewsOn(client, generation);
  };

  it('a starting process waits for it, and says so', async () => {
    const proxy = await proxied(ports.views);
    await proxy.cut();
    const waits: string[] = [];
    const { store } = await openAt(proxy, {
      onWaiting: (reason, nextMs) => {
        waits.push(reason);
        expect(nextMs).toBeGreaterThan(0);
        if (waits.length === 2) void proxy.mend();
      },
    });
    expect(waits[0]).toMatch(/ECONNREFUSED/);
    expect(await store.checkpoints()).toEqual([0, 0, 0, 0]);
    await proxy.cut();
  });

  it('the wait can be cancelled', async () => {
    const proxy = await proxied(ports.views);
    await proxy.cut();
    const stop = new AbortController();
    const waiting = openAt(proxy, { signal: stop.signal, onWaiting: () => stop.abort() });
    await expect(waiting).rejects.toThrow(StoreUnavailable);
  });

  it('settings that cannot be right fail at once', async () => {
    const url = postgres.url.replace(/[^/]*$/, 'no_such_database');
    await expect(openPostgres({ clock: systemClock, url })).rejects.toThrow(/no_such_database/);
  });

  it('a server that does not answer times out, and nothing of the batch is stored', async () => {
    const proxy = await proxied(ports.views);
    const { guilds, store } = await openAt(proxy, { timeoutMs: 300, openMs: 100 });
    const story = new Story();
    story.guild('77', '10');
    const batch = { partition: 3, from: 0, events: story.log.all, through: 1 };
    await store.checkpoints();
    proxy.swallow(true);
    const unanswered = async () => {
      await expect(guilds.guild(GUILD)).rejects.toMatchObject({ store: 'guild-views', retryAfter: 1 });
      await expect(store.commit(batch)).rejects.toThrow(StoreUnavailable);
    };
    expect(await fastest(unanswered)).toBeLessThan(3000);
    proxy.swallow(false);
    await expect
      .poll(() => store.commit(batch).then(() => 'stored', store.classify), { timeout: 20_000 })
      .toBe('stored');
    await proxy.cut();
  });

  it('an event whose values cannot be stored fails permanently and leaves the breaker closed', async () => {
    const { guilds, store } = postgres.views(generation);
    const event = new Story().guild(GUILD, '10');
    Object.assign(event.data, { ownerId: '99999999999999999999' });
    for (let n = 0; n < 10; n += 1) {
      const failure = await store
        .commit({ partition: 1, from: 0, events: [event], through: 1 })
        .catch((error: unknown) => error);
      expect(store.classify(failure)).toBe('permanent');
    }
    expect(await guilds.guild(GUILD)).toBeUndefined();
    expect(await guilds.guild('99999999999999999999')).toBeUndefined();
  });

  it('a process that freezes in the middle of a batch does not block its partition for ever', async () => {
    const stuck = await openPostgres({ clock: systemClock, url: postgres.url, timeoutMs: 300 });
    open.push(stuck);
    let holds = () => {};
    const held = new Promise<void>((resolve) => {
      holds = resolve;
    });
    let goOn = () => {};
    const taken = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const never = stuck.transaction(async (ask) => {
      await ask({ text: `INSERT INTO views_g${generation}.checkpoints VALUES (2, 0)` });
      holds();
      await taken;
      await ask({ text: 'SELECT 1' });
    });
    await held;
    const { store } = postgres.views(generation);
    const story = new Story();
    story.guild('78', '10');
    await store.commit({ partition: 2, from: 0, events: story.log.all, through: 5 });
    expect((await store.checkpoints())[2]).toBe(5);
    goOn();
    await expect(never).rejects.toThrow(StoreUnavailable);
  });
});

describe('a PostgreSQL that is killed and started again', () => {
  let own: OwnServices;
  beforeAll(async () => {
    own = await privateServices();
    await own.start('views');
  });
  afterAll(() => own.destroy());

  it('holds what it acknowledged; readers and writers report the outage and then continue', async () => {
    const client = await openPostgres({ clock: systemClock, url: own.urls.views, openMs: 300 });
    await prepareGeneration(client, 1);
    const { guilds, store } = viewsOn(client, 1);
    const story = new Story();
    story.guild(GUILD, '10');
    let through = 0;
    const next = async () => {
      while (story.log.all.length < through + 10) story.join(GUILD, String(1000 + story.log.all.length));
      const events = story.log.all.slice(through, through + 10);
      await store.commit({ partition: 0, from: through, events, through: through + 10 });
      through += 10;
    };
    await store.checkpoints();
    while (through < 1000) await next();
    const killed = own.kill('views');
    let failure: unknown;
    while (failure === undefined) await next().catch((error: unknown) => (failure = error));
    await killed;
    expect(failure).toBeInstanceOf(StoreUnavailable);
    expect(store.classify(failure)).toBe('transient');
    for (let n = 0; n < 10; n += 1)
      await expect(guilds.guild(GUILD)).rejects.toMatchObject({ store: 'guild-views', retryAfter: expect.any(Number) });

    await own.start('views');
    await expect.poll(() => next().then(() => 'stored', store.classify), { timeout: 30_000 }).toBe('stored');
    expect((await store.checkpoints())[0]).toBe(through);
    expect((await guilds.guild(GUILD))?.memberCount).toBe(through - 1);
    await client.close();
  });
});
