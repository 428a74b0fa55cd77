/** Connections that die without a word, servers that freeze, readers that lag, users that are refused. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import type { EventLog } from '../port.ts';
import { batch, collector, positions, sequences, stored, unexpected, upTo } from '../testing.ts';
import { openKurrentEventLog } from './event-log.ts';
import { fill } from './stand-in/filled.testing.ts';
import { StandIn } from './stand-in/testing.ts';

const patience = { answerMs: 400, triedMs: 5_000, silenceMs: 300 };

let server: StandIn;
let log: EventLog;
beforeEach(async () => {
  server = await new StandIn().start();
  log = await openKurrentEventLog({ clock: systemClock, url: server.url, patience });
});
afterEach(async () => {
  server.front.thaw();
  await log.close();
  await server.stop();
});

const connectionsOf = (kind: string) => [...server.front.connections].filter(({ calls }) => calls.includes(kind));

describe('connections', () => {
  it('for reads and for appends are two, and another log has others', async () => {
    stored(await log.append(batch('channel-1', 0)));
    const other = await openKurrentEventLog({ clock: systemClock, url: server.url, patience });
    stored(await other.append(batch('channel-1', 1)));
    expect(connectionsOf('append').filter((one) => connectionsOf('read').includes(one))).toEqual([]);
    expect(connectionsOf('append')).toHaveLength(2);
    expect(connectionsOf('read')).toHaveLength(2);
    await other.close();
  });
});

describe('a reading connection that swallows everything', () => {
  it('is replaced by a tail that hears nothing, and by a read', async () => {
    stored(await log.append(batch('channel-1', 0)));
    const seen = collector();
    const tail = log.tail(0, seen.onEvents, unexpected);
    await seen.until(1);
    for (const dead of connectionsOf('read')) dead.freeze();
    stored(await log.append(batch('channel-1', 1)));
    await seen.until(2);
    for (const dead of connectionsOf('read')) dead.freeze();
    expect(await log.streamHead('channel-1')).toMatchObject({ sequence: 2 });
    stored(await log.append(batch('channel-1', 2)));
    await seen.until(3);
    await tail.stop();
    expect(sequences(seen.events)).toEqual([1, 2, 3]);
  });

  it('is left alone while it answers, however quiet the log is', async () => {
    const tail = log.tail(0, async () => {}, unexpected);
    const { accepted } = server.front;
    const { reads } = server;
    // Some questions whether it is alive.
    await expect.poll(() => server.reads - reads).toBeGreaterThan(3);
    expect(server.front.accepted).toBe(accepted);
    await tail.stop();
  });
});

describe('a server that freezes', () => {
  it('is unavailable meanwhile, also when it answers for a moment, and then loses and repeats nothing', async () => {
    const seen = collector();
    const tail = log.tail(0, seen.onEvents, unexpected);
    stored(await log.append(batch('channel-1', 0)));
    await seen.until(1);
    server.front.freeze();
    await expect(log.head()).rejects.toThrow(StoreUnavailable);
    await server.front.thawFor(30);
    await expect(log.readStream({ stream: 'channel-1', limit: 1 })).rejects.toThrow(StoreUnavailable);
    server.front.thaw();
    stored(await log.append(batch('channel-1', 1)));
    await seen.until(2);
    await tail.stop();
    expect(sequences(seen.events)).toEqual([1, 2]);
  });

  it('does not keep a tail from being stopped', async () => {
    const tail = log.tail(0, async () => {}, unexpected);
    await log.head();
    server.front.freeze();
    await tail.stop();
  });
});

describe('a tail that the server finds too slow', () => {
  it('subscribes again from its place', async () => {
    server.habits.mostLag = 500;
    const seen = collector();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const tail = log.tail(
      0,
      async (events) => {
        await held;
        await seen.onEvents(events);
      },
      unexpected,
    );
    await log.head();
    for (let n = 0; n < 20; n += 1) fill(server.store, 200, 1);
    release();
    await seen.until(4_000);
    await tail.stop();
    expect(positions(seen.events)).toEqual([...new Set(positions(seen.events))].sort((a, b) => a - b));
    expect(seen.events).toHaveLength(4_000);
    expect(server.subscriptions.length).toBeGreaterThan(1);
  });
});

describe('a user who is disabled while running', () => {
  it.each(['unauthenticated', 'denied'] as const)('is told with server and remedy: %s', async (how) => {
    stored(await log.append(batch('channel-1', 0)));
    const seen = collector();
    const tail = log.tail(0, seen.onEvents, unexpected);
    await seen.until(1);
    server.refuse(how);
    expect(await log.head()).toBeGreaterThan(0);
    server.front.cutAll();
    const words = new RegExp(`127.0.0.1:${server.port} does not let our user read: unknown or disabled`);
    await expect(log.head()).rejects.toThrow(words);
    server.refuse(undefined);
    stored(await log.append(batch('channel-1', 1)));
    await seen.until(2);
    await tail.stop();
    expect(sequences(seen.events)).toEqual(upTo(2));
  });
});
