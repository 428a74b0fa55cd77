/** Where readers begin: between records, beside removed ones, and in large logs. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import type { EventLog } from '../port.ts';
import { atOwnPositions, batch, collector, positions, sequences, stored, unexpected } from '../testing.ts';
import { openKurrentEventLog } from './event-log.ts';
import { fill, proposedEvent } from './stand-in/filled.testing.ts';
import { StandIn } from './stand-in/testing.ts';

let server: StandIn;
let log: EventLog;
const open = () => openKurrentEventLog({ clock: systemClock, url: server.url });
beforeEach(async () => {
  server = await new StandIn().start();
  log = await open();
});
afterEach(async () => {
  await log.close();
  await server.stop();
});

/** What a tail delivers beyond a place, once it has so many. */
const tailed = async (after: number, count: number): Promise<readonly number[]> => {
  const seen = collector();
  const tail = log.tail(after, seen.onEvents, unexpected);
  await seen.until(count);
  await tail.stop();
  return positions(seen.events);
};

describe('a place between records', () => {
  it.each(['as 23.10', 'as newer'] as const)('is accepted, however the server refuses it: %s', async (misplaced) => {
    server.habits.misplaced = misplaced;
    const own = positions(await atOwnPositions(log, stored(await log.append(batch('channel-1', 0, 5)))));
    const places = own.slice(2, 4).flatMap((position) => [position - 1, position + 1, position + 7]);
    for (const after of [1, ...places]) {
      const expected = own.filter((position) => position > after);
      expect(positions((await log.readAll({ after, limit: 10 })).events)).toEqual(expected);
      expect(await tailed(after, expected.length)).toEqual(expected);
    }
  });

  it('costs a few records among 200,000, also for a reader that has read nothing yet', async () => {
    const own = fill(server.store, 200_000);
    await log.close();
    log = await open();
    for (const place of [own[0]!, own[100_000]!, own[199_990]!])
      for (const after of [place - 1, place + 1, place + 7, place + 90]) {
        const expected = own.filter((position) => position > after).slice(0, 5);
        const before = server.habits.recordsRead;
        expect(positions((await log.readAll({ after, limit: 5 })).events)).toEqual(expected);
        expect(server.habits.recordsRead - before).toBeLessThan(2_000);
        expect((await tailed(after, 5)).slice(0, 5)).toEqual(expected);
      }
    const beyond = { after: server.store.end + 7, limit: 5 };
    expect(await log.readAll(beyond)).toEqual({ events: [], through: beyond.after });
  });

  it('inside a large event is found by what the server skips, once for all later places', async () => {
    fill(server.store, 20_000);
    const data = Buffer.from(JSON.stringify({ messageId: '1', ordinal: 1, author: 'x'.repeat(20_000) }));
    server.store.append('channel-large', -1, [{ ...proposedEvent(), data }]);
    const inside = server.store.all.at(-1)!.position + 10_000;
    const [next] = fill(server.store, 5_000);
    const reads = server.reads;
    expect((await log.rawAll({ after: inside, limit: 1 })).events[0]!.position).toBe(next);
    const first = server.habits.recordsRead;
    expect((await log.rawAll({ after: inside + 1, limit: 1 })).events[0]!.position).toBe(next);
    expect(server.habits.recordsRead - first).toBeLessThan(5_000);
    expect(server.reads - reads).toBeLessThan(1_100);
  });

  it('is what a reader keeps that has seen all below an event: one more question finds it', async () => {
    const own = fill(server.store, 1_000);
    await log.readAll({ after: own[10]!, limit: 1 });
    const before = server.reads;
    await log.readAll({ after: own[500]! - 1, limit: 1 });
    expect(server.reads - before).toBeLessThan(8);
  });
});

describe('after scavenging', () => {
  it('a tail that begins behind a removed event misses none', async () => {
    const [first, second] = await atOwnPositions(log, stored(await log.append(batch('channel-1', 0, 2))));
    stored(await log.append(batch('channel-2', 0, 2)));
    server.store.softDelete('channel-1');
    server.store.scavenge();
    for (const after of [first!.position, second!.position]) {
      expect(await tailed(after, 2)).toHaveLength(2);
      expect(sequences((await log.readAll({ after, limit: 10, prefix: 'channel-' })).events)).toEqual([1, 2]);
    }
  });

  it('a tail that is cut off at a removed record of the server misses none', async () => {
    const seen = collector();
    const tail = log.tail(0, seen.onEvents, unexpected);
    stored(await log.append(batch('channel-1', 0)));
    await seen.until(1);
    // Live checkpoints name records of the server.
    server.store.system('$stats', '$statsCollected', 2_500);
    for (let n = 0; n < 3; n += 1) await log.head();
    await server.stop();
    server.store.scavenge(({ stream }) => stream === '$stats');
    const [next] = [proposedEvent('channel-2', 1)];
    server.store.append('channel-2', -1, [next]);
    await server.start();
    stored(await log.append(batch('channel-1', 1)));
    await seen.until(3);
    await tail.stop();
    expect(seen.events.map(({ stream }) => stream)).toEqual(['channel-1', 'channel-2', 'channel-1']);
  });

  it('positions and the head may jump beyond 2^31', async () => {
    stored(await log.append(batch('channel-1', 0, 3)));
    server.store.softDelete('channel-1');
    server.store.scavenge(undefined, 2 ** 32);
    const [event] = stored(await log.append(batch('channel-2', 0)));
    expect(event!.position).toBe(2 ** 32);
    expect(await log.head()).toBe(2 ** 32);
    expect(await tailed(2 ** 31, 1)).toEqual([2 ** 32]);
  });
});
