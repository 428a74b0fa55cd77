/** Known traps of KurrentDB and its client, one by one. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { connectionStringOf } from '../../stores/kurrentdb/connection.ts';
import type { EventLog } from '../port.ts';
import { atOwnPositions, batch, collector, positions, refusal, sequences, stored, unexpected } from '../testing.ts';
import { openKurrentEventLog } from './event-log.ts';
import { StandIn } from './stand-in/testing.ts';

const patience = { answerMs: 400, triedMs: 5_000, silenceMs: 1_000 };

let server: StandIn;
let log: EventLog;
beforeEach(async () => {
  server = await new StandIn().start();
  log = await openKurrentEventLog({ clock: systemClock, url: server.url, patience });
});
afterEach(async () => {
  await log.close();
  await server.stop();
});

describe('the server compares ids, never data', () => {
  it('so another append with stored ids is a conflict, not a repetition', async () => {
    const request = batch('channel-1', 0, 2);
    stored(await log.append(request));
    expect(refusal(await log.append(request))).toEqual({ kind: 'conflict', actual: 2 });
    const [first] = request.events;
    const other = { ...request, events: [{ ...first!, actor: '1000000000000000002' }] };
    expect(refusal(await log.append(other))).toEqual({ kind: 'conflict', actual: 2 });
  });

  it('and recognizes repetitions reliably only with an expected revision, so it is always sent', async () => {
    stored(await log.append(batch('channel-1', 0)));
    stored(await log.append(batch('channel-1', 1)));
    await log.renewEpoch();
    expect(new Set(server.proposals.map(({ expected }) => expected))).toEqual(new Set([-1, 0]));
  });

  it('so our own ids come back from the metadata, whatever they look like', async () => {
    stored(await log.append(batch('channel-1', 0)));
    const [event] = await log.readStream({ stream: 'channel-1', limit: 1 });
    expect(event!.id).toBe('channel-1/1');
    expect(server.proposals.at(-1)!.events[0]!.id).toMatch(/^[0-9a-f]{8}-/);
  });
});

describe('a repetition that arrives before the original is replicated', () => {
  it('is not answered, so the next one is', async () => {
    server.next('stored and not answered', 'stored and not answered');
    stored(await log.append(batch('channel-1', 0)));
    expect(sequences(await log.readStream({ stream: 'channel-1', limit: 10 }))).toEqual([1]);
  });

  it('may be answered without a position, which Parley then reads', async () => {
    server.next('stored and not answered', 'answered without a position');
    const [event] = stored(await log.append(batch('channel-1', 0)));
    expect(event!.position).toBe(await log.head());
  });
});

describe('the connection string', () => {
  it('may carry credentials or none: appends go through one batch stream', async () => {
    stored(await log.append(batch('channel-1', 0)));
    expect(server.plain).toBe(0);
    expect(server.batchStreams).toBe(1);
  });

  it('is accepted under both names of the product, and prefers the leader unless it says otherwise', () => {
    expect(connectionStringOf('kurrentdb://a:2113?tls=false')).toBe('esdb://a:2113?tls=false&nodePreference=leader');
    expect(connectionStringOf('kurrentdb+discover://u:p@a')).toBe('esdb+discover://u:p@a?nodePreference=leader');
    expect(connectionStringOf('esdb://a,b?nodePreference=follower')).toBe('esdb://a,b?nodePreference=follower');
  });
});

describe('a batch stream that breaks', () => {
  it('leaves the appends of other logs in the process alone', async () => {
    const elsewhere = await new StandIn().start();
    const other = await openKurrentEventLog({
      clock: systemClock,
      url: elsewhere.url,
      patience: { ...patience, answerMs: 4_000 },
    });
    elsewhere.next({ lateMs: 300 });
    const waiting = other.append(batch('channel-1', 0));
    server.next('dropped before storing');
    stored(await log.append(batch('channel-1', 0)));
    stored(await waiting);
    expect(elsewhere.proposals.filter(({ stream }) => stream === 'channel-1')).toHaveLength(1);
    await other.close();
    await elsewhere.stop();
  });
});

describe("the server's own events", () => {
  it('are never visible', async () => {
    stored(await log.append(batch('channel-1', 0)));
    for (let n = 0; n < 40; n += 1) server.store.system();
    server.store.system('$$channel-1', '$metadata');
    const [event] = stored(await log.append(batch('channel-1', 1)));
    for (let n = 0; n < 40; n += 1) server.store.system();
    expect(await log.head()).toBe(event!.position);
    const page = await log.readAll({ after: 0, limit: 10 });
    expect(sequences(page.events)).toEqual([1, 2]);
    expect(page.through).toBe(event!.position);
    expect((await log.streams({ limit: 10 })).map(({ stream }) => stream)).toEqual(['channel-1']);
    expect((await log.readAll({ after: 0, prefix: '$', limit: 10 })).events).toEqual([]);
  });

  it('do not hold a tail back: it continues from the last checkpoint', async () => {
    const seen = collector();
    const tail = log.tail(0, seen.onEvents, unexpected);
    stored(await log.append(batch('channel-1', 0)));
    await seen.until(1);
    const passed = server.store.end;
    for (let n = 0; n < 2_500; n += 1) server.store.system();
    // A later answer on the same connection shows that everything sent before has arrived.
    for (let n = 0; n < 3; n += 1) await log.head();
    const before = server.subscriptions.length;
    server.front.cutAll();
    stored(await log.append(batch('channel-1', 1)));
    await seen.until(2);
    await tail.stop();
    const begun = server.subscriptions.slice(before).map((place) => Number(place.split('/')[0]));
    expect(begun.length).toBeGreaterThan(0);
    expect(begun.every((commit) => commit > passed)).toBe(true);
  });

  it('may end with a checkpoint where the next event will be, which is still delivered', async () => {
    const seen = collector();
    const tail = log.tail(0, seen.onEvents, unexpected);
    server.store.system();
    const witness = log.tail(0, async () => {}, unexpected);
    // Both halves of its place are kept, so the event there comes after the place, not at it.
    await log.readAll({ after: 0, types: ['message-posted'], limit: 1 });
    server.front.cutAll();
    stored(await log.append(batch('channel-1', 0)));
    await seen.until(1);
    await Promise.all([tail.stop(), witness.stop()]);
    expect(sequences(seen.events)).toEqual([1]);
  });
});

describe('positions are offsets in files', () => {
  it('but reading and tailing accept any number', async () => {
    const events = await atOwnPositions(log, stored(await log.append(batch('channel-1', 0, 5))));
    const third = events[2]!.position;
    for (const [after, expected] of [
      [third - 1, [3, 4, 5]],
      [third + 1, [4, 5]],
      [third + 7, [4, 5]],
      [1, [1, 2, 3, 4, 5]],
    ] as const) {
      expect(sequences((await log.readAll({ after, limit: 10 })).events)).toEqual(expected);
      const filtered = await log.readAll({ after, types: ['message-deleted'], limit: 10 });
      expect(sequences(filtered.events)).toEqual(expected);
      const seen = collector();
      const tail = log.tail(after, seen.onEvents, unexpected);
      await seen.until(expected.length);
      await tail.stop();
      expect(sequences(seen.events)).toEqual(expected);
    }
  });

  it('and the server returns only one per batch: an answer is never before its event', async () => {
    const appended = stored(await log.append(batch('channel-1', 0, 4)));
    const own = positions(await atOwnPositions(log, appended));
    expect(new Set(positions(appended))).toEqual(new Set([own[3]]));
  });
});

describe('an append of many events', () => {
  it('is one message, so that it is stored whole or not at all', async () => {
    // On a busy machine it takes seconds, and a repetition would be another message.
    const unhurried = { answerMs: 20_000, triedMs: 25_000, silenceMs: 20_000 };
    const patient = await openKurrentEventLog({ clock: systemClock, url: server.url, patience: unhurried });
    const before = server.pieces;
    stored(await patient.append(batch('channel-1', 0, 10_000)));
    expect(server.proposals.at(-1)!.events).toHaveLength(10_000);
    expect(server.pieces).toBe(before + 1);
    expect((await patient.streamHead('channel-1')).sequence).toBe(10_000);
    await patient.close();
  });
});

describe('an event of another program', () => {
  const append = (stream: string) => {
    const data = new TextEncoder().encode('{}');
    const event = { id: crypto.randomUUID(), type: 'order-placed', contentType: 'application/json', data };
    server.store.append(stream, 'any', [{ ...event, metadata: new Uint8Array() }]);
  };

  it('in a stream of its own is left out, counted, and told once', async () => {
    let counted = 0;
    const told: object[] = [];
    const logger = { warn: (fields: object) => void told.push(fields) };
    const onForeign = () => {
      counted += 1;
    };
    const watched = await openKurrentEventLog({ clock: systemClock, url: server.url, patience, logger, onForeign });
    append('orders-1');
    const [first] = stored(await log.append(batch('channel-1', 0)));
    append('orders-1');
    append('channels');
    expect(await watched.head()).toBe(first!.position);
    const seen = collector();
    const tail = watched.tail(0, seen.onEvents, unexpected);
    await seen.until(1);
    stored(await log.append(batch('channel-1', 1)));
    await seen.until(2);
    await tail.stop();
    expect(sequences((await watched.readAll({ after: 0, limit: 10 })).events)).toEqual([1, 2]);
    expect((await watched.streams({ limit: 10 })).map(({ stream }) => stream)).toEqual(['channel-1']);
    expect(counted).toBe(3);
    expect(told).toEqual([{ stream: 'orders-1', position: expect.any(Number) }]);
    await watched.close();
  });

  it('in one of ours stops a reader with stream, revision and remedy', async () => {
    stored(await log.append(batch('channel-1', 0)));
    append('channel-1');
    const words = /revision 1 of stream channel-1 was not written by Parley.*backup/;
    await expect(log.readAll({ after: 0, limit: 10 })).rejects.toThrow(words);
    const told = new Promise((resolve) => {
      log.tail(0, async () => {}, resolve);
    });
    expect(await told).toMatchObject({ message: expect.stringMatching(words) });
  });
});

describe('a log of a newer Parley', () => {
  it('is not opened', async () => {
    const data = new TextEncoder().encode('{"format":2,"epoch":"later"}');
    const event = { id: crypto.randomUUID(), type: 'epoch-began', contentType: 'application/json', data };
    server.store.append('parley-log', 0, [{ ...event, metadata: new Uint8Array() }]);
    await expect(openKurrentEventLog({ clock: systemClock, url: server.url, patience })).rejects.toThrow('format 2');
  });
});
