/** Appending and heads. */
import fc from 'fast-check';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import type { NewParleyEvent } from '../schemas/events/catalogue.ts';
import type { AppendError, Appended, AppendRequest } from './port.ts';
import { batch, type Fixture, positions, refusal, sequences, stored, upTo } from './testing.ts';

export const appendingContract = (fixture: Fixture) => {
  describe('appending', () => {
    it('returns the events, each with a position at or after its own, the last with its own', async () => {
      const request = batch('channel-1', 0, 3);
      const appended = stored(await fixture.log.append(request));
      expect(appended.map(({ position: _, ...event }) => event)).toEqual(request.events);
      const own = positions(await fixture.log.readStream({ stream: 'channel-1', limit: 3 }));
      expect(positions(appended).every((position, i) => position >= own[i]! && position <= own[2]!)).toBe(true);
      expect(appended[2]!.position).toBe(own[2]);
    });

    it('gives each event its own position, strictly rising across streams and turns', async () => {
      const answers = await Promise.all([
        fixture.log.append(batch('channel-1', 0, 2)),
        fixture.log.append(batch('channel-2', 0, 2)),
      ]);
      const later = await fixture.log.append(batch('channel-1', 2));
      const ends = [...answers, later].map((answer) => stored(answer).at(-1)!.position);
      expect(Math.max(...ends)).toBe(ends[2]);
      const all = positions((await fixture.log.readAll({ after: 0, limit: 10 })).events);
      expect(all).toEqual([...new Set(all)].sort((a, b) => a - b));
      expect(all).toHaveLength(5);
      expect(all[0]).toBeGreaterThan(0);
    });

    it('gives back any text as it was, or refuses it and stores nothing', async () => {
      const fields = ['data', 'key', 'id', 'actor', 'correlationId', 'causationId', 'traceparent'] as const;
      const part = fc.oneof(
        fc.constantFrom('\0', '\ud800', '\udfff', '\u{10ffff}', '\ufeff', 'é', 'e\u0301', 'ｱ', '中', '👩‍👩‍👧', '\'\\"'),
        fc.string({ unit: 'binary', maxLength: 20 }),
      );
      const text = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
      const given = fc.sample(fc.tuple(fc.constantFrom(...fields), text), 200);
      const requests = given.map(([field, chosen], i): AppendRequest => {
        const request = batch(`channel-${i}`, 0, 1, 'reaction-added');
        const [event] = request.events;
        const changed = field === 'data' ? { ...event!.data, emoji: chosen } : chosen;
        return { ...request, events: [{ ...event!, [field]: changed } as NewParleyEvent] };
      });
      const answers = await Promise.all(requests.map((request) => fixture.log.append(request)));
      const log = await fixture.reopen();
      const reads = await Promise.all(requests.map(({ stream }) => log.readStream({ stream, limit: 10 })));
      for (const [i, { events }] of requests.entries()) {
        const [field, chosen] = given[i]!;
        const kept = field === 'data' || (chosen.isWellFormed() && !chosen.includes('\0'));
        if (!kept) expect(refusal(answers[i]!)).toMatchObject({ kind: 'refused' });
        expect(reads[i]!.map(({ position: _, ...event }) => event)).toEqual(kept ? events : []);
      }
    });

    it('refuses a batch that can never be stored, and stores those that came with it', async () => {
      const bad = batch('channel-bad', 0, 2);
      const unspeakable = { ...bad, events: [bad.events[0]!, { ...bad.events[1]!, data: { messageId: 1n } as never }] };
      const named = batch('channel-\0', 0);
      for (const [i, refused] of [unspeakable, named].entries()) {
        const requests = [batch(`channel-a${i}`, 0), refused, batch(`channel-a${i}`, 1), batch(`channel-b${i}`, 0, 2)];
        const answers = await Promise.all(requests.map((request) => fixture.log.append(request)));
        expect(answers.map(either.isRight)).toEqual([true, false, true, true]);
        expect(refusal(answers[1]!)).toMatchObject({ kind: 'refused' });
      }
      const { events } = await fixture.log.readAll({ after: 0, limit: 100 });
      expect(events).toHaveLength(8);
    });

    it('starts a stream only with expected revision 0', async () => {
      expect(refusal(await fixture.log.append(batch('channel-1', 1)))).toEqual({ kind: 'conflict', actual: 0 });
      expect(await fixture.log.streamHead('channel-1')).toEqual({ stream: 'channel-1', sequence: 0, position: 0 });
    });

    it('refuses an expected revision other than the last sequence, and returns that sequence', async () => {
      stored(await fixture.log.append(batch('channel-1', 0, 3)));
      expect(refusal(await fixture.log.append(batch('channel-1', 0)))).toEqual({ kind: 'conflict', actual: 3 });
      expect(refusal(await fixture.log.append(batch('channel-1', 2)))).toEqual({ kind: 'conflict', actual: 3 });
      expect(refusal(await fixture.log.append(batch('channel-1', 4)))).toEqual({ kind: 'conflict', actual: 3 });
      expect(sequences(await fixture.log.readStream({ stream: 'channel-1', limit: 10 }))).toEqual([1, 2, 3]);
    });

    it('counts the other requests of the same turn', async () => {
      const answers = await Promise.all([
        fixture.log.append(batch('channel-1', 0, 2)),
        fixture.log.append(batch('channel-1', 2)),
        fixture.log.append(batch('channel-1', 2)),
      ]);
      expect(answers.map(either.isRight)).toEqual([true, true, false]);
      expect(refusal(answers[2])).toEqual({ kind: 'conflict', actual: 3 });
    });

    it('lets a conflict fail only its own batch, wherever it is in a commit', async () => {
      stored(await fixture.log.append(batch('channel-1', 0)));
      for (const place of [0, 1, 2]) {
        const requests = [batch(`channel-good-${place}`, 0, 2), batch(`channel-also-${place}`, 0)];
        requests.splice(place, 0, batch('channel-1', 0, 2));
        const answers = await Promise.all(requests.map((request) => fixture.log.append(request)));
        expect(refusal(answers[place]!)).toEqual({ kind: 'conflict', actual: 1 });
        for (const answer of answers.filter(either.isRight)) {
          const last = stored(answer).at(-1)!;
          expect((await fixture.log.streamHead(last.stream)).position).toBe(last.position);
        }
      }
      expect(sequences(await fixture.log.readStream({ stream: 'channel-1', limit: 10 }))).toEqual([1]);
    });

    it('rejects events not numbered from the expected revision on, and stores none of them', async () => {
      const wrong = { ...batch('channel-1', 0, 2), expected: 1 };
      await expect(fixture.log.append(wrong)).rejects.toThrow(RangeError);
      await expect(fixture.log.append({ ...wrong, events: [] })).rejects.toThrow(RangeError);
      const foreign = { ...batch('channel-1', 0), stream: 'channel-2' };
      await expect(fixture.log.append(foreign)).rejects.toThrow(RangeError);
      expect(await fixture.log.head()).toBe(0);
    });

    it('keeps sequences dense and positions rising under concurrent appends', async () => {
      const attempt = fc.record({
        stream: fc.constantFrom('channel-a', 'channel-b', 'channel-c'),
        count: fc.integer({ min: 1, max: 4 }),
        behind: fc.integer({ min: -1, max: 2 }),
        turn: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(attempt, { maxLength: 40 }), async (attempts) => {
          const fresh = await fixture.open();
          try {
            const known = new Map<string, number>();
            const answers: Promise<Either<AppendError, Appended>>[] = [];
            const right: boolean[] = [];
            for (const { stream, count, behind, turn } of attempts) {
              const sequence = known.get(stream) ?? 0;
              const expected = Math.max(0, sequence - behind);
              const fits = expected === sequence;
              right.push(fits);
              if (fits) known.set(stream, sequence + count);
              answers.push(fresh.log.append(batch(stream, expected, count)));
              if (turn) await answers.at(-1);
            }
            expect((await Promise.all(answers)).map(either.isRight)).toEqual(right);
            const { events } = await fresh.log.readAll({ after: 0, limit: 1_000 });
            expect(positions(events)).toEqual([...new Set(positions(events))].sort((a, b) => a - b));
            for (const [stream, count] of known)
              expect(sequences(events.filter((event) => event.stream === stream))).toEqual(upTo(count));
          } finally {
            await fresh.dispose();
          }
        }),
        { numRuns: 15 },
      );
    });
  });

  describe('heads', () => {
    it('are zero in an empty log', async () => {
      expect(await fixture.log.head()).toBe(0);
      expect(await fixture.log.streamHead('channel-1')).toEqual({ stream: 'channel-1', sequence: 0, position: 0 });
      expect(await fixture.log.streams({ limit: 10 })).toEqual([]);
    });

    it('are those of the last event, of the log and of each stream', async () => {
      const first = stored(await fixture.log.append(batch('channel-1', 0, 2)));
      const second = stored(await fixture.log.append(batch('guild-1', 0)));
      expect(await fixture.log.head()).toBe(second[0]!.position);
      const head = { stream: 'channel-1', sequence: 2, position: first[1]!.position };
      expect(await fixture.log.streamHead('channel-1')).toEqual(head);
    });

    it('lists streams in name order, by prefix and after a name', async () => {
      for (const stream of ['user-1', 'channel-2', 'channel-10', 'channel-1', 'guild-1'])
        stored(await fixture.log.append(batch(stream, 0)));
      const names = async (query: { prefix?: string; after?: string; limit: number }) =>
        (await fixture.log.streams(query)).map(({ stream }) => stream);
      expect(await names({ limit: 10 })).toEqual(['channel-1', 'channel-10', 'channel-2', 'guild-1', 'user-1']);
      expect(await names({ prefix: 'channel-', limit: 2 })).toEqual(['channel-1', 'channel-10']);
      expect(await names({ prefix: 'channel-', after: 'channel-10', limit: 2 })).toEqual(['channel-2']);
    });
  });
};
