/** Reading streams and the whole log. */

import { beforeEach, describe, expect, it } from 'vitest';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import { BUDGETS } from '../stores/budgets.ts';
import { bytesOfEvent, type EventLog, isFull, type Page } from './port.ts';
import { atOwnPositions, batch, type Fixture, sequences, stored, upTo } from './testing.ts';

export const readingContract = (fixture: Fixture) => {
  describe('reading a stream', () => {
    beforeEach(async () => {
      stored(await fixture.log.append(batch('channel-1', 0, 10)));
      stored(await fixture.log.append(batch('channel-2', 0, 3)));
    });

    it('goes forwards from the first event, or from a sequence, inclusive', async () => {
      expect(sequences(await fixture.log.readStream({ stream: 'channel-1', limit: 100 }))).toEqual(upTo(10));
      expect(sequences(await fixture.log.readStream({ stream: 'channel-1', from: 4, limit: 3 }))).toEqual([4, 5, 6]);
    });

    it('goes backwards from the last event, or from a sequence, inclusive', async () => {
      const direction = 'backwards';
      expect(sequences(await fixture.log.readStream({ stream: 'channel-1', direction, limit: 3 }))).toEqual([10, 9, 8]);
      expect(sequences(await fixture.log.readStream({ stream: 'channel-1', direction, from: 2, limit: 3 }))).toEqual([
        2, 1,
      ]);
    });

    it('finds nothing beyond the end, before the beginning, or in a stream that does not exist', async () => {
      expect(await fixture.log.readStream({ stream: 'channel-1', from: 11, limit: 3 })).toEqual([]);
      expect(await fixture.log.readStream({ stream: 'channel-1', from: 0, direction: 'backwards', limit: 3 })).toEqual(
        [],
      );
      expect(await fixture.log.readStream({ stream: 'channel-9', limit: 3 })).toEqual([]);
    });

    it('returns events as they were appended', async () => {
      const [event] = stored(await fixture.log.append(batch('channel-1', 10, 1, 'reaction-added')));
      expect(await fixture.log.readStream({ stream: 'channel-1', from: 11, limit: 1 })).toEqual([event]);
    });

    it('refuses limits below 1 and above 10,000', async () => {
      await expect(fixture.log.readStream({ stream: 'channel-1', limit: 0 })).rejects.toThrow(RangeError);
      await expect(fixture.log.readStream({ stream: 'channel-1', limit: 10_001 })).rejects.toThrow(RangeError);
    });
  });

  describe('events that are large', () => {
    const COUNT = 140;
    const LARGE = 65_536;
    const limit = 1_000;
    const inLoops = { after: 0, limit };

    beforeEach(async () => {
      const scripts = ['x', 'é', '€', '😀'].map((one) => one.repeat(LARGE / Buffer.byteLength(one)));
      for (let from = 0; from < COUNT; from += 10) {
        const request = batch('channel-1', from, 10, 'reaction-added');
        const events = request.events.map((event, i) => ({ ...event, data: { ...event.data, emoji: scripts[i % 4] } }));
        stored(await fixture.log.append({ ...request, events: events as typeof request.events }));
      }
    });

    /** Each page but the last ends with the event that brings it to its bytes. */
    const expectPages = (pages: readonly (readonly { readonly data: unknown }[])[]): void => {
      expect(pages.length).toBeGreaterThanOrEqual(3);
      for (const page of pages.slice(0, -1)) {
        const bytes = page.reduce((sum, event) => sum + bytesOfEvent(event), 0);
        expect(bytes).toBeGreaterThanOrEqual(BUDGETS.log.readBytes);
        expect(bytes - bytesOfEvent(page.at(-1)!)).toBeLessThan(BUDGETS.log.readBytes);
        expect(isFull(page, limit)).toBe(true);
      }
      expect(isFull(pages.at(-1)!, limit)).toBe(false);
    };

    const pagesOfLog = async <
      P extends { readonly events: readonly { readonly data: unknown }[]; readonly through: number },
    >(
      read: (query: { readonly after: number; readonly limit: number }) => Promise<P>,
    ): Promise<readonly P[]> => {
      const pages = [await read(inLoops)];
      while (isFull(pages.at(-1)!.events, limit)) pages.push(await read({ after: pages.at(-1)!.through, limit }));
      return pages;
    };

    it.each(['forwards', 'backwards'] as const)(
      'come %s in pages bounded by bytes, none left out',
      async (direction) => {
        const step = direction === 'forwards' ? 1 : -1;
        const pages = [await fixture.log.readStream({ stream: 'channel-1', direction, limit })];
        while (isFull(pages.at(-1)!, limit)) {
          const from = pages.at(-1)!.at(-1)!.sequence + step;
          pages.push(await fixture.log.readStream({ stream: 'channel-1', direction, from, limit }));
        }
        expectPages(pages);
        const found = sequences(pages.flat());
        expect(direction === 'forwards' ? found : found.reverse()).toEqual(upTo(COUNT));
      },
    );

    it('come from the whole log in such pages, with and without filters, read and raw', async () => {
      const { log } = fixture;
      for (const filter of [{}, { types: ['reaction-added' as const] }, { prefix: 'channel-' }]) {
        const pages = await pagesOfLog((query) => log.readAll({ ...query, ...filter }));
        expectPages(pages.map(({ events }) => events));
        expect(sequences(pages.flatMap(({ events }) => events))).toEqual(upTo(COUNT));
        expect(pages.at(-1)!.through).toBe(await log.head());
      }
      const raw = await pagesOfLog((query) => log.rawAll(query));
      expectPages(raw.map(({ events }) => events));
      expect(raw.flatMap(({ events }) => events.map(({ sequence }) => sequence))).toEqual(upTo(COUNT));
      expect(raw.at(-1)!.through).toBe(await log.head());
    });
  });

  describe('asking for heads', () => {
    it('answers for many streams in the order asked, with 0 for a stream that does not exist', async () => {
      const names = Array.from({ length: 250 }, (_, n) => `channel-${n}`);
      const stored250 = names.map((name, n) => fixture.log.append(batch(name, 0, 1 + (n % 3))));
      const answers = (await Promise.all(stored250)).map(stored);
      const own = await Promise.all(answers.map((events) => atOwnPositions(fixture.log, events)));
      const heads = await fixture.log.streamHeads(['channel-none', ...names.toReversed(), 'channel-7']);
      const expected = own.map((events) => {
        const { stream, sequence, position } = events.at(-1)!;
        return { stream, sequence, position };
      });
      const none = { stream: 'channel-none', sequence: 0, position: 0 };
      expect(heads).toEqual([none, ...expected.toReversed(), expected[7]]);
      expect(await fixture.log.streamHeads(names)).toEqual(
        await Promise.all(names.map((name) => fixture.log.streamHead(name))),
      );
      expect(await fixture.log.streamHeads([])).toEqual([]);
    });
  });

  describe('reading everything', () => {
    let all: readonly ParleyEvent[];
    beforeEach(async () => {
      const answers = await Promise.all([
        fixture.log.append(batch('channel-1', 0, 2_500)),
        fixture.log.append(batch('guild-1', 0, 2, 'reaction-added')),
        fixture.log.append(batch('channel-2', 0, 3_000)),
        fixture.log.append(batch('channel-1', 2_500, 2, 'reaction-added')),
      ]);
      const own = await Promise.all(answers.map((answer) => atOwnPositions(fixture.log, stored(answer))));
      all = own.flat().sort((a, b) => a.position - b.position);
    });

    const pages = async (query: Omit<Parameters<EventLog['readAll']>[0], 'after'>): Promise<Page[]> => {
      const found: Page[] = [];
      let after = 0;
      do {
        found.push(await fixture.log.readAll({ ...query, after }));
        after = found.at(-1)!.through;
      } while (found.at(-1)!.events.length === query.limit);
      return found;
    };

    it('pages through all events in position order, each once', async () => {
      const found = await pages({ limit: 700 });
      expect(found.flatMap(({ events }) => events)).toEqual(all);
      expect(found.at(-1)!.through).toBe(await fixture.log.head());
    });

    it('begins between the places of events too, and beyond the end', async () => {
      const head = await fixture.log.head();
      const chosen = [0, 2_499, all.length - 1].map((i) => all[i]!.position);
      const places = chosen.flatMap((position) => [position - 1, position, position + 1, position + 7]);
      for (const after of places) {
        const expected = all.filter(({ position }) => position > after);
        const page = await fixture.log.readAll({ after, limit: 3 });
        expect(page.events).toEqual(expected.slice(0, 3));
        expect(page.through).toBe(page.events[2]?.position ?? Math.max(after, head));
        const some = await fixture.log.readAll({ after, types: ['reaction-added'], limit: 10 });
        expect(some.events).toEqual(expected.filter(({ type }) => type === 'reaction-added'));
      }
      for (const after of [head + 1, head + 7, head + 1_000_000])
        expect(await fixture.log.readAll({ after, limit: 10 })).toEqual({ events: [], through: after });
    });

    it('filters by types', async () => {
      const found = await pages({ types: ['reaction-added'], limit: 1 });
      expect(found.flatMap(({ events }) => events)).toEqual(all.filter(({ type }) => type === 'reaction-added'));
      expect((await fixture.log.readAll({ after: 0, types: [], limit: 10 })).events).toEqual([]);
    });

    it('filters by prefix of the stream name, and by types as well', async () => {
      const ofChannels = all.filter(({ stream }) => stream.startsWith('channel-'));
      const found = await pages({ prefix: 'channel-', limit: 2_000 });
      expect(found.flatMap(({ events }) => events)).toEqual(ofChannels);
      const both = await fixture.log.readAll({ after: 0, prefix: 'channel-', types: ['reaction-added'], limit: 10 });
      expect(both.events).toEqual(ofChannels.filter(({ type }) => type === 'reaction-added'));
    });

    it('has searched to the end when it finds fewer than the limit', async () => {
      const nothing = await fixture.log.readAll({ after: 0, prefix: 'user-', limit: 10 });
      expect(nothing).toEqual({ events: [], through: await fixture.log.head() });
      const beyond = await fixture.log.readAll({ after: await fixture.log.head(), limit: 10 });
      expect(beyond).toEqual({ events: [], through: await fixture.log.head() });
    });

    it('returns the same events raw, with the data as JSON text', async () => {
      const query = { after: 10, prefix: 'channel-', limit: 20 };
      const { events, through } = await fixture.log.readAll(query);
      const raw = await fixture.log.rawAll(query);
      expect(raw.events.map((event) => ({ ...event, data: JSON.parse(event.data) }))).toEqual(events);
      expect(raw.through).toBe(through);
    });
  });
};
