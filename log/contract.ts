/** What every event log must do, whatever stores it. */

import fc from 'fast-check';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NewParleyEvent, ParleyEvent } from '../schemas/events/index.ts';
import type { AppendError, Appended, AppendRequest, EventLog, Page } from './port.ts';

/** A log that a spec may close and open again on the same data. */
export interface OpenedLog {
  readonly log: EventLog;
  reopen(): Promise<EventLog>;
  /** Closes the log and removes its data. */
  dispose(): Promise<void>;
}

const CHANNEL = '1000000000000000001';

/** A well-formed event; what it says does not matter to the log. */
export const newEvent = (
  stream: string,
  sequence: number,
  type: 'message-deleted' | 'reaction-added' = 'message-deleted',
): NewParleyEvent => {
  const data = { messageId: CHANNEL, ordinal: sequence, author: CHANNEL };
  const envelope = {
    id: `${stream}/${sequence}`,
    schema: 1,
    stream,
    sequence,
    time: 1_700_000_000_000 + sequence,
    actor: CHANNEL,
    key: sequence % 2 === 0 ? `key-${sequence}` : null,
    correlationId: 'correlation',
    causationId: null,
    traceparent: null,
  };
  return type === 'message-deleted'
    ? { ...envelope, type, data }
    : { ...envelope, type, data: { ...data, userId: CHANNEL, emoji: '👍 ' } };
};

/** `count` events beyond sequence `expected`. */
export const batch = (
  stream: string,
  expected: number,
  count = 1,
  type?: 'message-deleted' | 'reaction-added',
): AppendRequest => ({
  stream,
  expected,
  events: Array.from({ length: count }, (_, i) => newEvent(stream, expected + i + 1, type)),
});

export const stored = (answer: Either<AppendError, Appended>): Appended => {
  if (either.isLeft(answer)) throw new Error(`not stored: ${JSON.stringify(answer.left)}`);
  return answer.right;
};

const refusal = (answer: Either<AppendError, Appended>): AppendError => {
  if (either.isRight(answer)) throw new Error('stored, against expectation');
  return answer.left;
};

const positions = (events: readonly ParleyEvent[]): number[] => events.map(({ position }) => position);
const sequences = (events: readonly ParleyEvent[]): number[] => events.map(({ sequence }) => sequence);
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/** Collects what a tail delivers; `until(n)` resolves when it has delivered n events. */
const collector = () => {
  const events: ParleyEvent[] = [];
  const sizes: number[] = [];
  let check = () => {};
  return {
    events,
    sizes,
    onEvents: async (some: readonly ParleyEvent[]) => {
      events.push(...some);
      sizes.push(some.length);
      check();
    },
    until: (count: number) =>
      new Promise<void>((resolve) => {
        check = () => {
          if (events.length >= count) resolve();
        };
        check();
      }),
  };
};

const unexpected = (error: unknown) => {
  throw error;
};

export const eventLogContract = (name: string, open: () => Promise<OpenedLog>) =>
  describe(`${name} is an event log`, () => {
    let opened: OpenedLog;
    let log: EventLog;
    beforeEach(async () => {
      opened = await open();
      log = opened.log;
    });
    afterEach(() => opened.dispose());

    describe('appending', () => {
      it('answers with the same events, each with its position', async () => {
        const request = batch('channel-1', 0, 3);
        const appended = stored(await log.append(request));
        expect(appended.map(({ position: _, ...event }) => event)).toEqual(request.events);
        expect(positions(appended).every((p, i, all) => p > (i === 0 ? 0 : all[i - 1]!))).toBe(true);
      });

      it('gives strictly rising positions across streams and turns', async () => {
        const answers = await Promise.all([log.append(batch('channel-1', 0, 2)), log.append(batch('channel-2', 0, 2))]);
        const later = await log.append(batch('channel-1', 2));
        const all = positions([...answers, later].flatMap(stored));
        expect(all).toEqual([...new Set(all)].sort((a, b) => a - b));
      });

      it('starts a stream only with expected revision 0', async () => {
        expect(refusal(await log.append(batch('channel-1', 1)))).toEqual({ kind: 'conflict', actual: 0 });
        expect(await log.streamHead('channel-1')).toEqual({ stream: 'channel-1', sequence: 0, position: 0 });
      });

      it('refuses another expected revision than the last sequence, and tells that sequence', async () => {
        stored(await log.append(batch('channel-1', 0, 3)));
        expect(refusal(await log.append(batch('channel-1', 0)))).toEqual({ kind: 'conflict', actual: 3 });
        expect(refusal(await log.append(batch('channel-1', 2)))).toEqual({ kind: 'conflict', actual: 3 });
        expect(refusal(await log.append(batch('channel-1', 4)))).toEqual({ kind: 'conflict', actual: 3 });
        expect(sequences(await log.readStream({ stream: 'channel-1', limit: 10 }))).toEqual([1, 2, 3]);
      });

      it('counts the other requests of the same turn', async () => {
        const answers = await Promise.all([
          log.append(batch('channel-1', 0, 2)),
          log.append(batch('channel-1', 2)),
          log.append(batch('channel-1', 2)),
        ]);
        expect(answers.map(either.isRight)).toEqual([true, true, false]);
        expect(refusal(answers[2])).toEqual({ kind: 'conflict', actual: 3 });
      });

      it('lets a conflict fail only its own batch', async () => {
        stored(await log.append(batch('channel-1', 0)));
        const [good, bad, alsoGood] = await Promise.all([
          log.append(batch('channel-2', 0)),
          log.append(batch('channel-1', 0, 2)),
          log.append(batch('channel-3', 0)),
        ]);
        expect(either.isRight(good) && either.isRight(alsoGood)).toBe(true);
        expect(refusal(bad)).toEqual({ kind: 'conflict', actual: 1 });
        expect(sequences(await log.readStream({ stream: 'channel-1', limit: 10 }))).toEqual([1]);
      });

      it('rejects events that are not numbered from the expected revision on, and stores none of them', async () => {
        const wrong = { ...batch('channel-1', 0, 2), expected: 1 };
        await expect(log.append(wrong)).rejects.toThrow(RangeError);
        await expect(log.append({ ...wrong, events: [] })).rejects.toThrow(RangeError);
        const foreign = { ...batch('channel-1', 0), stream: 'channel-2' };
        await expect(log.append(foreign)).rejects.toThrow(RangeError);
        expect(await log.head()).toBe(0);
      });

      it('keeps sequences dense and positions rising whatever concurrent appenders do', async () => {
        const attempt = fc.record({
          stream: fc.constantFrom('channel-a', 'channel-b', 'channel-c'),
          count: fc.integer({ min: 1, max: 4 }),
          behind: fc.integer({ min: -1, max: 2 }),
          turn: fc.boolean(),
        });
        await fc.assert(
          fc.asyncProperty(fc.array(attempt, { maxLength: 40 }), async (attempts) => {
            const fresh = await open();
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
        expect(await log.head()).toBe(0);
        expect(await log.streamHead('channel-1')).toEqual({ stream: 'channel-1', sequence: 0, position: 0 });
        expect(await log.streams({ limit: 10 })).toEqual([]);
      });

      it('are those of the last event, of the log and of each stream', async () => {
        const first = stored(await log.append(batch('channel-1', 0, 2)));
        const second = stored(await log.append(batch('guild-1', 0)));
        expect(await log.head()).toBe(second[0]!.position);
        const head = { stream: 'channel-1', sequence: 2, position: first[1]!.position };
        expect(await log.streamHead('channel-1')).toEqual(head);
      });

      it('lists streams in name order, by prefix and beyond a name', async () => {
        for (const stream of ['user-1', 'channel-2', 'channel-10', 'channel-1', 'guild-1'])
          stored(await log.append(batch(stream, 0)));
        const names = async (query: { prefix?: string; after?: string; limit: number }) =>
          (await log.streams(query)).map(({ stream }) => stream);
        expect(await names({ limit: 10 })).toEqual(['channel-1', 'channel-10', 'channel-2', 'guild-1', 'user-1']);
        expect(await names({ prefix: 'channel-', limit: 2 })).toEqual(['channel-1', 'channel-10']);
        expect(await names({ prefix: 'channel-', after: 'channel-10', limit: 2 })).toEqual(['channel-2']);
      });
    });

    describe('reading a stream', () => {
      beforeEach(async () => {
        stored(await log.append(batch('channel-1', 0, 10)));
        stored(await log.append(batch('channel-2', 0, 3)));
      });

      it('goes forwards from the first event, or from a sequence on, that one included', async () => {
        expect(sequences(await log.readStream({ stream: 'channel-1', limit: 100 }))).toEqual(upTo(10));
        expect(sequences(await log.readStream({ stream: 'channel-1', from: 4, limit: 3 }))).toEqual([4, 5, 6]);
      });

      it('goes backwards from the last event, or from a sequence on, that one included', async () => {
        const direction = 'backwards';
        expect(sequences(await log.readStream({ stream: 'channel-1', direction, limit: 3 }))).toEqual([10, 9, 8]);
        expect(sequences(await log.readStream({ stream: 'channel-1', direction, from: 2, limit: 3 }))).toEqual([2, 1]);
      });

      it('finds nothing beyond the end, before the beginning, or in a stream that does not exist', async () => {
        expect(await log.readStream({ stream: 'channel-1', from: 11, limit: 3 })).toEqual([]);
        expect(await log.readStream({ stream: 'channel-1', from: 0, direction: 'backwards', limit: 3 })).toEqual([]);
        expect(await log.readStream({ stream: 'channel-9', limit: 3 })).toEqual([]);
      });

      it('gives back events as they were appended', async () => {
        const [event] = stored(await log.append(batch('channel-1', 10, 1, 'reaction-added')));
        expect(await log.readStream({ stream: 'channel-1', from: 11, limit: 1 })).toEqual([event]);
      });

      it('refuses limits below 1 and above 10,000', async () => {
        await expect(log.readStream({ stream: 'channel-1', limit: 0 })).rejects.toThrow(RangeError);
        await expect(log.readStream({ stream: 'channel-1', limit: 10_001 })).rejects.toThrow(RangeError);
      });
    });

    describe('reading everything', () => {
      let all: readonly ParleyEvent[];
      beforeEach(async () => {
        const answers = await Promise.all([
          log.append(batch('channel-1', 0, 2_500)),
          log.append(batch('guild-1', 0, 2, 'reaction-added')),
          log.append(batch('channel-2', 0, 3_000)),
          log.append(batch('channel-1', 2_500, 2, 'reaction-added')),
        ]);
        all = answers.flatMap(stored);
      });

      const pages = async (query: Omit<Parameters<EventLog['readAll']>[0], 'after'>): Promise<Page[]> => {
        const found: Page[] = [];
        let after = 0;
        do {
          found.push(await log.readAll({ ...query, after }));
          after = found.at(-1)!.through;
        } while (found.at(-1)!.events.length === query.limit);
        return found;
      };

      it('pages through all events in position order, each once', async () => {
        const found = await pages({ limit: 700 });
        expect(found.flatMap(({ events }) => events)).toEqual(all);
        expect(found.at(-1)!.through).toBe(await log.head());
      });

      it('filters by types', async () => {
        const found = await pages({ types: ['reaction-added'], limit: 1 });
        expect(found.flatMap(({ events }) => events)).toEqual(all.filter(({ type }) => type === 'reaction-added'));
        expect((await log.readAll({ after: 0, types: [], limit: 10 })).events).toEqual([]);
      });

      it('filters by the beginning of the stream name, and by types as well', async () => {
        const ofChannels = all.filter(({ stream }) => stream.startsWith('channel-'));
        const found = await pages({ prefix: 'channel-', limit: 2_000 });
        expect(found.flatMap(({ events }) => events)).toEqual(ofChannels);
        const both = await log.readAll({ after: 0, prefix: 'channel-', types: ['reaction-added'], limit: 10 });
        expect(both.events).toEqual(ofChannels.filter(({ type }) => type === 'reaction-added'));
      });

      it('has looked at everything through the end when it finds fewer than the limit', async () => {
        const nothing = await log.readAll({ after: 0, prefix: 'user-', limit: 10 });
        expect(nothing).toEqual({ events: [], through: await log.head() });
        const beyond = await log.readAll({ after: await log.head(), limit: 10 });
        expect(beyond).toEqual({ events: [], through: await log.head() });
      });

      it('hands out the same events raw, with the data as JSON text', async () => {
        const query = { after: 10, prefix: 'channel-', limit: 20 };
        const { events, through } = await log.readAll(query);
        const raw = await log.rawAll(query);
        expect(raw.events.map((event) => ({ ...event, data: JSON.parse(event.data) }))).toEqual(events);
        expect(raw.through).toBe(through);
      });
    });

    describe('tailing', () => {
      it('delivers what was appended before and after it began, in order and in batches of at most 1,000', async () => {
        stored(await log.append(batch('channel-1', 0, 2_500)));
        const seen = collector();
        const tail = log.tail(0, seen.onEvents, unexpected);
        stored(await log.append(batch('channel-2', 0, 1_500)));
        await seen.until(4_000);
        await tail.stop();
        expect(seen.events).toEqual((await log.readAll({ after: 0, limit: 10_000 })).events);
        expect(Math.max(...seen.sizes)).toBeLessThanOrEqual(1_000);
      });

      it('begins beyond any position', async () => {
        const appended = stored(await log.append(batch('channel-1', 0, 10)));
        for (const [i, event] of appended.entries()) {
          const seen = collector();
          const tail = log.tail(event.position, seen.onEvents, unexpected);
          await seen.until(9 - i);
          await tail.stop();
          expect(seen.events).toEqual(appended.slice(i + 1));
        }
      });

      it('delivers each event once to every tail while appenders go on, across a reopening too', async () => {
        stored(await log.append(batch('channel-1', 0, 3_000)));
        log = await opened.reopen();
        const tails = [0, 1_234, 2_999].map((after) => {
          const seen = collector();
          return { after, seen, tail: log.tail(after, seen.onEvents, unexpected) };
        });
        for (let i = 0; i < 200; i += 1) stored(await log.append(batch('channel-2', i * 10, 10)));
        const { events } = await log.readAll({ after: 0, limit: 10_000 });
        for (const { after, seen, tail } of tails) {
          const expected = events.filter(({ position }) => position > after);
          await seen.until(expected.length);
          await tail.stop();
          expect(positions(seen.events)).toEqual(positions(expected));
        }
      });

      it('hands over the next batch only when the promise of the one before has resolved', async () => {
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
        const tail = log.tail(0, onEvents, unexpected);
        for (let i = 0; i < 50; i += 1) stored(await log.append(batch('channel-1', i)));
        await seen.until(50);
        await tail.stop();
        expect(most).toBe(1);
      });

      it('makes no more calls after it was stopped', async () => {
        const seen = collector();
        const tail = log.tail(0, seen.onEvents, unexpected);
        stored(await log.append(batch('channel-1', 0)));
        await seen.until(1);
        await tail.stop();
        const other = collector();
        const witness = log.tail(0, other.onEvents, unexpected);
        stored(await log.append(batch('channel-1', 1)));
        await other.until(2);
        await witness.stop();
        expect(sequences(seen.events)).toEqual([1]);
      });

      it('stops at a handler that throws, tells so, and leaves the other tails alone', async () => {
        const failure = new Error('no more');
        const seen = collector();
        const witness = log.tail(0, seen.onEvents, unexpected);
        const told = new Promise((resolve) => {
          log.tail(0, () => Promise.reject(failure), resolve);
        });
        stored(await log.append(batch('channel-1', 0)));
        expect(await told).toBe(failure);
        stored(await log.append(batch('channel-1', 1)));
        await seen.until(2);
        await witness.stop();
      });
    });

    describe('closing and opening again', () => {
      it('keeps epoch, events, heads and positions', async () => {
        const { epoch } = log;
        stored(await log.append(batch('channel-1', 0, 5)));
        const before = await log.readAll({ after: 0, limit: 10 });
        log = await opened.reopen();
        expect(log.epoch).toBe(epoch);
        expect(await log.readAll({ after: 0, limit: 10 })).toEqual(before);
        expect(refusal(await log.append(batch('channel-1', 4)))).toEqual({ kind: 'conflict', actual: 5 });
        const [next] = stored(await log.append(batch('channel-1', 5)));
        expect(next!.position).toBeGreaterThan(before.through);
      });

      it('stores what was waiting, and then says that it is closed', async () => {
        const waiting = log.append(batch('channel-1', 0));
        const reopened = opened.reopen();
        expect(either.isRight(await waiting)).toBe(true);
        const closed = log;
        log = await reopened;
        expect(refusal(await closed.append(batch('channel-1', 1)))).toMatchObject({ kind: 'unavailable' });
        expect((await log.streamHead('channel-1')).sequence).toBe(1);
      });

      it('gives every log an epoch of its own', async () => {
        const other = await open();
        expect(other.log.epoch).not.toBe(log.epoch);
        await other.dispose();
      });
    });
  });
