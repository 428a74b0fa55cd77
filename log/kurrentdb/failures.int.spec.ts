import { either } from 'fp-ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import type { EventLog } from '../port.ts';
import { batch, collector, positions, refusal, sequences, stored, unexpected, upTo } from '../testing.ts';
import { openKurrentEventLog } from './event-log.ts';
import { StandIn } from './stand-in/testing.ts';

/** An answer that was lost is soon asked for again; all else takes longer than a machine stalls. */
const patience = { answerMs: 400, triedMs: 20_000, silenceMs: 10_000 };

let server: StandIn;
let log: EventLog;
const openedAgain = async (given: Partial<typeof patience>): Promise<void> => {
  await log.close();
  log = await openKurrentEventLog({ clock: systemClock, url: server.url, patience: { ...patience, ...given } });
};
beforeEach(async () => {
  server = await new StandIn().start();
  log = await openKurrentEventLog({ clock: systemClock, url: server.url, patience });
});
afterEach(async () => {
  await log.close();
  await server.stop();
});

const inStream = async (stream: string) => sequences(await log.readStream({ stream, limit: 10_000 }));
const proposed = (stream: string) => server.proposals.filter((proposal) => proposal.stream === stream);

describe('an append whose outcome is unknown', () => {
  it.each([
    'dropped before storing',
    'dropped after storing',
    'stored and not answered',
    'neither stored nor answered',
    { lateMs: 600 },
  ] as const)('is stored once when it was %s', async (fault) => {
    stored(await log.append(batch('channel-1', 0)));
    server.next(fault);
    const appended = stored(await log.append(batch('channel-1', 1, 3)));
    expect(await inStream('channel-1')).toEqual(upTo(4));
    expect(appended.at(-1)!.position).toBe(await log.head());
    stored(await log.append(batch('channel-1', 4)));
  });

  it('is retried with the same ids and the same expected revision', async () => {
    server.next('stored and not answered', 'dropped after storing', 'neither stored nor answered');
    stored(await log.append(batch('channel-1', 0, 2)));
    const tries = proposed('channel-1').map(({ expected, events }) => ({ expected, ids: events.map(({ id }) => id) }));
    expect(tries.length).toBeGreaterThanOrEqual(4);
    expect(tries.every((one) => one.expected === -1)).toBe(true);
    expect(new Set(tries.map(({ ids }) => ids.join())).size).toBe(1);
  });

  it('counts as stored even if another node has appended after it', async () => {
    const other = await openKurrentEventLog({ clock: systemClock, url: server.url });
    server.next('stored and not answered');
    const waiting = log.append(batch('channel-1', 0, 2));
    const seen = collector();
    const tail = other.tail(0, seen.onEvents, unexpected);
    await seen.until(2);
    await tail.stop();
    const [next] = stored(await other.append(batch('channel-1', 2)));
    expect(stored(await waiting).at(-1)!.position).toBeLessThan(next!.position);
    expect(await inStream('channel-1')).toEqual(upTo(3));
    await other.close();
  });

  it('counts as stored when the retry conflicts but exactly its events are there', async () => {
    server.next('stored and not answered', 'wrong expected version');
    const appended = stored(await log.append(batch('channel-1', 0, 2)));
    expect(appended.at(-1)!.position).toBe(await log.head());
    expect(await inStream('channel-1')).toEqual(upTo(2));
  });

  it('is a conflict when other events are there', async () => {
    const other = await openKurrentEventLog({ clock: systemClock, url: server.url });
    server.next('neither stored nor answered');
    const waiting = log.append(batch('channel-1', 0, 2));
    stored(await other.append(batch('channel-1', 0, 2)));
    expect(refusal(await waiting)).toEqual({ kind: 'conflict', actual: 2 });
    await other.close();
  });

  it('stays unknown when the server stays silent, and the next append starts from what is there', async () => {
    await openedAgain({ triedMs: 2_000 });
    const silences = ['stored and not answered', 'neither stored nor answered'] as const;
    for (const [i, silence] of silences.entries()) {
      server.next(...Array.from({ length: 50 }, () => silence));
      expect(refusal(await log.append(batch(`channel-${i}`, 0)))).toMatchObject({ kind: 'unknown' });
      server.clear();
    }
    await openedAgain({});
    expect(refusal(await log.append(batch('channel-0', 0)))).toEqual({ kind: 'conflict', actual: 1 });
    stored(await log.append(batch('channel-1', 0)));
  });

  it('does not hold up other streams', async () => {
    server.next('neither stored nor answered');
    const slow = log.append(batch('channel-1', 0));
    const order: string[] = [];
    void slow.then(() => order.push('channel-1'));
    stored(await log.append(batch('channel-2', 0)));
    order.push('channel-2');
    stored(await slow);
    expect(order).toEqual(['channel-2', 'channel-1']);
  });
});

describe('a conflict', () => {
  it('at the first try is reported, whatever is stored', async () => {
    stored(await log.append(batch('channel-1', 0, 2)));
    server.next('wrong expected version');
    expect(refusal(await log.append(batch('channel-1', 2)))).toEqual({ kind: 'conflict', actual: 2 });
    expect(proposed('channel-1')).toHaveLength(2);
  });
});

describe('connections that are cut', () => {
  it('neither lose nor repeat appends of many streams', async () => {
    const streams = Array.from({ length: 60 }, (_, n) => `channel-${n}`);
    const drops = [
      'dropped after storing',
      undefined,
      undefined,
      'dropped before storing',
      undefined,
      undefined,
    ] as const;
    server.next(...Array.from({ length: 10 }, () => drops).flat());
    const appended = streams.map(async (stream) => {
      for (let n = 0; n < 5; n += 1) stored(await log.append(batch(stream, n * 4, 4)));
    });
    await Promise.all(appended);
    expect(server.front.cut).toBeGreaterThan(10);
    for (const stream of streams) expect(await inStream(stream)).toEqual(upTo(20));
  });

  it('do not end a tail: it continues from its place, each event once and in order', async () => {
    const seen = collector();
    const tail = log.tail(0, seen.onEvents, unexpected);
    for (let n = 0; n < 20; n += 1) {
      stored(await log.append(batch('channel-1', n * 50, 50)));
      if (n % 4 !== 0) continue;
      await seen.until((n + 1) * 50);
      server.front.cutAll();
    }
    await seen.until(1_000);
    await tail.stop();
    expect(sequences(seen.events)).toEqual(upTo(1_000));
    // Once from the start, then from its place.
    expect(server.subscriptions.length).toBeGreaterThan(1);
    expect(server.subscriptions.filter((from) => from === '')).toHaveLength(1);
    expect(positions(seen.events)).toEqual(positions((await log.readAll({ after: 0, limit: 10_000 })).events));
  });

  it('are restored before a reader notices', async () => {
    stored(await log.append(batch('channel-1', 0)));
    server.front.cutAll();
    expect(await log.head()).toBeGreaterThan(0);
  });
});

describe('a server that is gone', () => {
  beforeEach(() => openedAgain({ triedMs: 2_000 }));

  it('leaves the append that notices it unknown, fails later ones as unavailable, and is found again later', async () => {
    stored(await log.append(batch('channel-1', 0)));
    const seen = collector();
    const tail = log.tail(0, seen.onEvents, unexpected);
    await seen.until(1);
    await server.stop();
    expect(refusal(await log.append(batch('channel-1', 1)))).toMatchObject({ kind: 'unknown' });
    expect(refusal(await log.append(batch('channel-1', 1)))).toMatchObject({ kind: 'unavailable' });
    const reads = [
      log.head(),
      log.streamHead('channel-1'),
      log.readStream({ stream: 'channel-1', limit: 1 }),
      log.readAll({ after: 0, limit: 1 }),
      log.streams({ limit: 1 }),
    ];
    for (const answer of await Promise.allSettled(reads))
      expect(answer).toMatchObject({ status: 'rejected', reason: expect.any(StoreUnavailable) });

    await server.start();
    stored(await log.append(batch('channel-1', 1)));
    await seen.until(2);
    await tail.stop();
    expect(await inStream('channel-1')).toEqual([1, 2]);
  });

  it('fails the opening at once', async () => {
    await server.stop();
    await expect(openKurrentEventLog({ clock: systemClock, url: server.url, patience })).rejects.toThrow(
      StoreUnavailable,
    );
    await server.start();
  });
});

describe('a server that accepts requests and stays silent', () => {
  beforeEach(() => openedAgain({ silenceMs: 500 }));

  it('counts as gone after a time-out', async () => {
    stored(await log.append(batch('channel-1', 0)));
    server.silent = true;
    await expect(log.head()).rejects.toThrow(StoreUnavailable);
    await expect(log.readStream({ stream: 'channel-1', limit: 1 })).rejects.toThrow(StoreUnavailable);
    server.silent = false;
    await openedAgain({});
    expect(await inStream('channel-1')).toEqual([1]);
  });

  it('is subscribed to again', async () => {
    server.silent = true;
    const seen = collector();
    const tail = log.tail(0, seen.onEvents, unexpected);
    stored(await log.append(batch('channel-1', 0)));
    await expect(log.head()).rejects.toThrow(StoreUnavailable);
    server.silent = false;
    await seen.until(1);
    await tail.stop();
  });

  it('gets a new connection when it has answered no append', async () => {
    stored(await log.append(batch('channel-1', 0)));
    const before = server.batchStreams;
    server.next('neither stored nor answered');
    expect(either.isRight(await log.append(batch('channel-1', 1)))).toBe(true);
    expect(server.batchStreams).toBeGreaterThan(before);
  });
});

describe('closing', () => {
  it('waits for the outcome of an append that is being retried', async () => {
    server.next('stored and not answered');
    const waiting = log.append(batch('channel-1', 0));
    await log.close();
    stored(await waiting);
    log = await openKurrentEventLog({ clock: systemClock, url: server.url, patience });
    expect(await inStream('channel-1')).toEqual([1]);
  });
});
