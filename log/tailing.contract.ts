/** Tails, and what survives a reopening. */

import { either } from 'fp-ts';
import { describe, expect, it } from 'vitest';
import { type ParleyEvent, UnreadableEvent } from '../schemas/events/catalogue.ts';
import type { AppendRequest, StoredEvent } from './port.ts';
import {
  atOwnPositions,
  batch,
  collector,
  type Fixture,
  positions,
  refusal,
  sequences,
  stored,
  unexpected,
  upTo,
} from './testing.ts';

export const tailingContract = (fixture: Fixture) => {
  describe('tailing', () => {
    it('delivers events from before and after its start, in order, in batches of at most 1,000', async () => {
      stored(await fixture.log.append(batch('channel-1', 0, 2_500)));
      const seen = collector();
      const tail = fixture.log.tail(0, seen.onEvents, unexpected);
      stored(await fixture.log.append(batch('channel-2', 0, 1_500)));
      await seen.until(4_000);
      await tail.stop();
      expect(seen.events).toEqual((await fixture.log.readAll({ after: 0, limit: 10_000 })).events);
      expect(Math.max(...seen.sizes)).toBeLessThanOrEqual(1_000);
    });

    it('gives a raw tail what is stored, and events that cannot be checked', async () => {
      const newer = (request: AppendRequest): AppendRequest => ({
        ...request,
        events: request.events.map((event) => ({ ...event, data: { of: 'a newer Parley' } }) as never),
      });
      stored(await fixture.log.append(batch('channel-1', 0, 1_500)));
      const events: StoredEvent[] = [];
      let gone = () => {};
      const all = new Promise<void>((resolve) => {
        gone = resolve;
      });
      const take = async (some: readonly StoredEvent[]) => {
        events.push(...some);
        if (events.length === 1_502) gone();
      };
      const tail = fixture.log.rawTail(0, take, unexpected);
      stored(await fixture.log.append(newer(batch('channel-2', 0))));
      stored(await fixture.log.append(batch('channel-1', 1_500)));
      await all;
      await tail.stop();
      const { events: read } = await fixture.log.rawAll({ after: 0, limit: 10_000 });
      expect(events).toEqual(read);
    });

    it('begins beyond any position', async () => {
      const appended = await atOwnPositions(fixture.log, stored(await fixture.log.append(batch('channel-1', 0, 10))));
      for (const [i, event] of appended.entries()) {
        const seen = collector();
        const tail = fixture.log.tail(event.position, seen.onEvents, unexpected);
        await seen.until(9 - i);
        await tail.stop();
        expect(seen.events).toEqual(appended.slice(i + 1));
      }
    });

    it('begins between the places of events too, and beyond the end', async () => {
      const before = await atOwnPositions(fixture.log, stored(await fixture.log.append(batch('channel-1', 0, 10))));
      const [first, middle, last] = [before[0]!, before[4]!, before[9]!].map(({ position }) => position);
      const places = [first! - 1, first! + 1, middle! - 1, middle! + 1, middle! + 7, last! - 1, last! + 1];
      const tails = places.map((after) => {
        const seen = collector();
        return { after, seen, tail: fixture.log.tail(after, seen.onEvents, unexpected) };
      });
      const later = await atOwnPositions(fixture.log, stored(await fixture.log.append(batch('channel-2', 0, 10))));
      for (const { after, seen, tail } of tails) {
        const expected = positions([...before, ...later]).filter((position) => position > after);
        await seen.until(expected.length);
        await tail.stop();
        expect(positions(seen.events)).toEqual(expected);
      }
    });

    it('delivers each event once to every tail during appends, even across a reopening', async () => {
      stored(await fixture.log.append(batch('channel-1', 0, 3_000)));
      await fixture.reopen();
      const tails = [0, 1_234, 2_999].map((after) => {
        const seen = collector();
        return { after, seen, tail: fixture.log.tail(after, seen.onEvents, unexpected) };
      });
      for (let i = 0; i < 200; i += 1) stored(await fixture.log.append(batch('channel-2', i * 10, 10)));
      const { events } = await fixture.log.readAll({ after: 0, limit: 10_000 });
      for (const { after, seen, tail } of tails) {
        const expected = events.filter(({ position }) => position > after);
        await seen.until(expected.length);
        await tail.stop();
        expect(positions(seen.events)).toEqual(positions(expected));
      }
    });

    it('delivers the next batch only once the promise of the previous has resolved', async () => {
      let running = 0;
      let most = 0;
      const seen = collector();
      const onEvents = async (events: readonly ParleyEvent[]) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        await seen.onEvents(events);
      };
      const tail = fixture.log.tail(0, onEvents, unexpected);
      for (let i = 0; i < 50; i += 1) stored(await fixture.log.append(batch('channel-1', i)));
      await seen.until(50);
      await tail.stop();
      expect(most).toBe(1);
    });

    it('makes no more calls after it is stopped', async () => {
      const seen = collector();
      const tail = fixture.log.tail(0, seen.onEvents, unexpected);
      stored(await fixture.log.append(batch('channel-1', 0)));
      await seen.until(1);
      await tail.stop();
      const other = collector();
      const witness = fixture.log.tail(0, other.onEvents, unexpected);
      stored(await fixture.log.append(batch('channel-1', 1)));
      await other.until(2);
      await witness.stop();
      expect(sequences(seen.events)).toEqual([1]);
    });

    it('delivers all before an event that cannot be read, and then stops and reports it', async () => {
      const unreadable = (request: AppendRequest): AppendRequest => ({
        ...request,
        events: request.events.map((event) => ({ ...event, data: { of: 'a newer Parley' } }) as never),
      });
      stored(await fixture.log.append(batch('channel-1', 0, 700)));
      stored(await fixture.log.append(unreadable(batch('channel-2', 0))));
      stored(await fixture.log.append(batch('channel-1', 700, 5)));
      // Otherwise a log may deliver it from memory, where it never was unreadable.
      await fixture.reopen();
      const seen = collector();
      const told = await new Promise<unknown>((resolve) => {
        fixture.log.tail(0, seen.onEvents, resolve);
      });
      expect(sequences(seen.events)).toEqual(upTo(700));
      expect(told).toBeInstanceOf(UnreadableEvent);
      const { event } = told as UnreadableEvent;
      expect(event).toMatchObject({ stream: 'channel-2', sequence: 1 });
      const later = collector();
      const tail = fixture.log.tail(event.position, later.onEvents, unexpected);
      await later.until(5);
      await tail.stop();
      await expect(fixture.log.readStream({ stream: 'channel-2', limit: 10 })).rejects.toThrow(UnreadableEvent);
      const raw = await fixture.log.rawAll({ after: 0, limit: 1000 });
      expect(raw.events.find(({ stream }) => stream === 'channel-2')!.data).toBe('{"of":"a newer Parley"}');
    });

    it('stops and reports when its handler throws, and leaves other tails alone', async () => {
      const failure = new Error('no more');
      const seen = collector();
      const witness = fixture.log.tail(0, seen.onEvents, unexpected);
      const told = new Promise((resolve) => {
        fixture.log.tail(0, () => Promise.reject(failure), resolve);
      });
      stored(await fixture.log.append(batch('channel-1', 0)));
      expect(await told).toBe(failure);
      stored(await fixture.log.append(batch('channel-1', 1)));
      await seen.until(2);
      await witness.stop();
    });
  });

  describe('closing and opening again', () => {
    it('keeps epoch, events, heads and positions', async () => {
      const { epoch } = fixture.log;
      stored(await fixture.log.append(batch('channel-1', 0, 5)));
      const before = await fixture.log.readAll({ after: 0, limit: 10 });
      await fixture.reopen();
      expect(fixture.log.epoch).toBe(epoch);
      expect(await fixture.log.readAll({ after: 0, limit: 10 })).toEqual(before);
      expect(refusal(await fixture.log.append(batch('channel-1', 4)))).toEqual({ kind: 'conflict', actual: 5 });
      const [next] = stored(await fixture.log.append(batch('channel-1', 5)));
      expect(next!.position).toBeGreaterThan(before.through);
    });

    it('stores waiting batches, and then refuses as closed', async () => {
      const closed = fixture.log;
      const waiting = closed.append(batch('channel-1', 0));
      await fixture.reopen();
      expect(either.isRight(await waiting)).toBe(true);
      expect(refusal(await closed.append(batch('channel-1', 1)))).toMatchObject({ kind: 'unavailable' });
      expect((await fixture.log.streamHead('channel-1')).sequence).toBe(1);
    });

    it('keeps a renewed epoch, and everything else unchanged', async () => {
      stored(await fixture.log.append(batch('channel-1', 0, 5)));
      const before = fixture.log.epoch;
      await fixture.log.renewEpoch();
      const renewed = fixture.log.epoch;
      expect(renewed).not.toBe(before);
      await fixture.reopen();
      expect(fixture.log.epoch).toBe(renewed);
      expect((await fixture.log.streamHead('channel-1')).sequence).toBe(5);
    });

    it('gives every log an epoch of its own', async () => {
      const other = await fixture.open();
      expect(other.log.epoch).not.toBe(fixture.log.epoch);
      await other.dispose();
    });
  });
};
