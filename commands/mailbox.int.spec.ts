import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { either } from 'fp-ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { happen, nothing, refuse } from '../domain/decider.ts';
import { join as decideJoin, leave as decideLeave, type MemberState } from '../domain/member.ts';
import type { AppendError, AppendRequest, EventLog } from '../log/port.ts';
import { openSqliteEventLog } from '../log/sqlite/event-log.ts';
import { wholeStream } from '../log/testing.ts';
import { passingOn, TestClock } from '../schemas/clock.testing.ts';
import { type Clock, systemClock } from '../schemas/clock.ts';
import { parleyError } from '../schemas/errors.ts';
import { keptSpans } from '../telemetry/testing.ts';
import type { KeyRing } from '../vault/sealing.ts';
import { type MailboxDeps, Mailboxes, type Task } from './mailbox.ts';
import type { Cause } from './new-events.ts';
import { LAG_MS, Pace } from './pace.ts';
import { StateStore } from './states.ts';
import { dense, refusal, right } from './testing.ts';
import { TURN_BYTES } from './turn.ts';

const STREAM = 'member-1_2';
const membership = { guildId: '1', userId: '2' };
const NO_SNAPSHOTS = { latest: async () => undefined };
const NO_KEYS = { cached: () => undefined, get: async () => undefined } as unknown as KeyRing;

/** A log that a spec tells what to do before each append. */
class Watched {
  readonly appends: AppendRequest[] = [];
  before: (request: AppendRequest) => Promise<Awaited<ReturnType<EventLog['append']>> | undefined> = async () =>
    undefined;
  readonly log: EventLog;

  constructor(log: EventLog) {
    this.log = Object.create(log, {
      append: {
        value: async (request: AppendRequest) => {
          this.appends.push(request);
          return (await this.before(request)) ?? log.append(request);
        },
      },
    }) as EventLog;
  }
}

let folder: string;
let log: EventLog;
let watched: Watched;
let mailboxes: Mailboxes;
let conflicts: number;
let failures: (readonly [stream: string, failure: unknown])[];
/** The mailboxes' clock, moved by hand. */
let elapsed: number;

const handMoved: Clock = { ...systemClock, wallTime: () => 1_700_000_000_000, monotonic: () => elapsed };

/** Whether it is settled by now. */
const settled = (work: Promise<unknown>) => {
  let done = false;
  const end = () => {
    done = true;
  };
  work.then(end, end);
  return () => done;
};

const mailboxesOn = (on: EventLog, more: Partial<MailboxDeps> = {}) =>
  new Mailboxes({
    log: on,
    states: new StateStore(on, NO_SNAPSHOTS),
    keys: NO_KEYS,
    clock: handMoved,
    waiting: 10_000,
    onConflict: () => {
      conflicts += 1;
    },
    onFailure: (stream, failure) => failures.push([stream, failure]),
    ...more,
  });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-mailbox-'));
  log = await openSqliteEventLog({ clock: systemClock, directory: folder });
  watched = new Watched(log);
  mailboxes = mailboxesOn(watched.log);
  conflicts = 0;
  failures = [];
  elapsed = 0;
});
afterEach(async () => {
  await log.close();
  rmSync(folder, { recursive: true });
});

const causeOf = (key: string): Cause => ({
  ...{ actor: '2', key, correlationId: key, causationId: null, traceparent: null },
});
const task = (
  key: string,
  decide: Task<MemberState, undefined>['decide'],
  prepare: Task<MemberState, undefined>['prepare'] = async () => either.right(undefined),
): Task<MemberState, undefined> => ({ stream: STREAM, cause: causeOf(key), prepare, decide });

const joining = (key: string) =>
  task(key, (state) => decideJoin({ ...membership, key, invite: null, announcedIn: null }, state));
const leaving = (key: string) => task(key, (state) => decideLeave({ ...membership, key, ownerId: '9' }, state));
/** Decides one event in any state. */
const event = (key: string) => task(key, () => happen({ type: 'member-left', data: { ...membership, how: 'left' } }));
const stored = () => wholeStream(log, STREAM);
const keysOf = async () => (await stored()).map(({ key }) => key);

describe('a mailbox', () => {
  it('appends all waiting tasks in one batch, each decided on the state that the ones before it left', async () => {
    const outcomes = await Promise.all([joining('a'), leaving('b'), joining('c')].map((one) => mailboxes.run(one)));
    expect(watched.appends.map(({ events }) => events.length)).toEqual([3]);
    expect(outcomes.map((outcome) => right(outcome).events[0]?.type)).toEqual([
      'member-joined',
      'member-left',
      'member-joined',
    ]);
    expect(outcomes.map((outcome) => right(outcome).sequence)).toEqual([1, 2, 3]);
  });

  it('is one of many, whose turns together leave the event loop its own after some milliseconds', async () => {
    let loops = 0;
    let counting = setImmediate(function count() {
      loops += 1;
      counting = setImmediate(count);
    });
    const decided = new Map<number, number>();
    const slowly = () => {
      elapsed += 3;
      decided.set(loops, (decided.get(loops) ?? 0) + 1);
      return nothing;
    };
    const streams = Array.from({ length: 8 }, (_, i) => `member-1_${i + 10}`);
    await Promise.all(streams.map((stream) => mailboxes.run({ ...task(stream, slowly), stream })));
    clearImmediate(counting);
    expect(Math.max(...decided.values())).toBe(2);
  });

  describe('whose events are delivered late', () => {
    const OTHER = 'member-1_3';
    let delivered: number;
    let arrive: () => void;

    beforeEach(() => {
      delivered = 0;
      const pace = new Pace(
        {
          checkpoint: () => delivered,
          whenProcessed: () =>
            new Promise((resolve) => {
              arrive = () => resolve(true);
            }),
        },
        handMoved,
      );
      mailboxes = mailboxesOn(watched.log, { pace });
    });

    it('waits with its next turn until they are delivered, and no other stream does', async () => {
      right(await mailboxes.run(event('a')));
      elapsed += LAG_MS;
      const [late, other] = [mailboxes.run(event('b')), mailboxes.run({ ...event('c'), stream: OTHER })];
      const done = settled(late);
      right(await other);
      expect(done()).toBe(false);
      expect(await keysOf()).toEqual(['a']);
      delivered = 1;
      arrive();
      right(await late);
      expect(await keysOf()).toEqual(['a', 'b']);
    });

    it('does not wait while they are late by little, nor once they are delivered', async () => {
      right(await mailboxes.run(event('a')));
      elapsed += LAG_MS - 1;
      right(await mailboxes.run(event('b')));
      delivered = 1;
      elapsed += LAG_MS;
      right(await mailboxes.run(event('c')));
      right(await mailboxes.run(event('d')));
    });
  });

  it.each(['a', 'é', '中', '😀'])(
    'appends at most some 512 KiB at once, also of %s, and everything in order',
    async (character) => {
      const large = (key: string) =>
        task(key, () =>
          happen({ type: 'member-left', data: { ...membership, how: 'left', note: character.repeat(5000) } as never }),
        );
      const keys = Array.from({ length: 300 }, (_, i) => `k${i}`);
      const outcomes = await Promise.all(keys.map((key) => mailboxes.run(large(key))));
      for (const outcome of outcomes) right(outcome);
      expect(await keysOf()).toEqual(keys);
      const sizes = watched.appends.map(({ events }) => Buffer.byteLength(JSON.stringify(events)));
      expect(Math.max(...sizes)).toBeLessThan(TURN_BYTES + 30_000);
      expect(sizes.length).toBeLessThanOrEqual(1 + Math.ceil((300 * 5000 * Buffer.byteLength(character)) / TURN_BYTES));
    },
  );

  describe('on a log that takes less at once', () => {
    const LIMIT = 20_000;
    const saying = (key: string, note: string) =>
      task(key, () => happen({ type: 'member-left', data: { ...membership, how: 'left', note } as never }));
    const dataOf = ({ events }: AppendRequest) =>
      events.reduce((bytes, { data }) => bytes + Buffer.byteLength(JSON.stringify(data)), 0);
    beforeEach(() => {
      mailboxes = mailboxesOn(Object.create(watched.log, { maxAppendBytes: { value: LIMIT } }) as EventLog);
    });

    it('ends a turn there, whatever the characters, and keeps everything in order', async () => {
      const text = fc.constantFrom('a', '"', '\u0001', '中', '😀', '\ud800');
      const texts = fc.sample(fc.tuple(text, fc.integer({ min: 0, max: 3_000 })), { numRuns: 100, seed: 1 });
      const tasks = texts.map(([character, count], i) => saying(`k${i}`, character.repeat(count)));
      for (const outcome of await Promise.all(tasks.map((one) => mailboxes.run(one)))) right(outcome);
      expect(Math.max(...watched.appends.map(dataOf))).toBeLessThanOrEqual(LIMIT);
      expect(watched.appends.length).toBeLessThan(100);
      expect(await keysOf()).toEqual(texts.map((_, i) => `k${i}`));
    });

    it('refuses one command that is larger, for whatever it was said beside', async () => {
      const large = saying('b', '\u0001'.repeat(LIMIT / 6));
      const outcomes = await Promise.all([event('a'), large, event('c')].map((one) => mailboxes.run(one)));
      expect(outcomes.map(refusal)).toEqual([undefined, 'payloadTooLarge', undefined]);
      expect(await keysOf()).toEqual(['a', 'c']);
    });

    it('takes one that is exactly as large', async () => {
      const without = Buffer.byteLength(JSON.stringify({ ...membership, how: 'left', note: '' }));
      right(await mailboxes.run(saying('a', 'x'.repeat(LIMIT - without))));
      expect(watched.appends.map(dataOf)).toEqual([LIMIT]);
    });
  });

  it('refuses what would wait beyond its bound, but neither what must follow an event nor an import', async () => {
    mailboxes = mailboxesOn(watched.log, { waiting: 2 });
    const following = { ...event('f'), cause: { ...causeOf('f'), causationId: 'e' } };
    const tasks = [event('a'), event('b'), event('c'), following, { ...event('i'), lane: 'import' }, event('d')];
    const outcomes = await Promise.all(tasks.map((one) => mailboxes.run(one)));
    expect(outcomes.map(refusal)).toEqual([
      ...[undefined, undefined, 'tooManyWaiting'],
      ...[undefined, undefined, 'tooManyWaiting'],
    ]);
    expect(await keysOf()).toEqual(['a', 'b', 'f', 'i']);
    right(await mailboxes.run(event('c')));
  });

  it('keeps the order in which tasks arrived, also of those that arrived during an append', async () => {
    const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
    const running: Promise<unknown>[] = [];
    for (const [i, key] of keys.entries()) {
      running.push(mailboxes.run(event(key)));
      if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(running);
    expect(await keysOf()).toEqual(keys);
    expect(dense((await stored()).map(({ sequence }) => sequence))).toBe(true);
  });

  it('bounds a batch and takes the rest in the next one', async () => {
    await Promise.all(Array.from({ length: 1100 }, (_, i) => mailboxes.run(event(`k${i}`))));
    expect(watched.appends.map(({ events }) => events.length)).toEqual([512, 512, 76]);
  });

  it("does not let a task's refusal, throw or failed preparation affect its neighbours", async () => {
    const outcomes = await Promise.all(
      [
        event('a'),
        task('b', () => refuse('missingPermissions')),
        task('c', () => {
          throw new Error('a bug');
        }),
        task('d', async () => Promise.reject(new Error('a bug'))),
        task(
          'e',
          () => nothing,
          async () => either.left(parleyError('unknownGuild')),
        ),
        task(
          'f',
          () => nothing,
          async () => Promise.reject(new Error('views are gone')),
        ),
        task(
          'g',
          () => nothing,
          () => {
            throw new Error('at once');
          },
        ),
        // Its author's key was destroyed.
        task('h', () =>
          happen({
            type: 'user-registered',
            data: { userId: '2', kind: 'person', ownerId: null },
            secret: { by: '2', text: 'x' },
          }),
        ),
        event('i'),
      ].map((one) => mailboxes.run(one)),
    );
    expect(outcomes.map(refusal)).toEqual([
      undefined,
      'missingPermissions',
      'unavailable',
      'unavailable',
      'unknownGuild',
      'unavailable',
      'unavailable',
      'unauthorized',
      undefined,
    ]);
    expect(failures.map(([, failure]) => (failure as Error).message).toSorted()).toEqual([
      ...['a bug', 'a bug', 'at once', 'views are gone'],
    ]);
    expect(await keysOf()).toEqual(['a', 'i']);
    expect((await stored()).map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  it('answers a repeat without appending, with the sequence that carried the key', async () => {
    await mailboxes.run(event('other'));
    await mailboxes.run(joining('a'));
    await mailboxes.run(leaving('b'));
    watched.appends.length = 0;
    const again = right(await mailboxes.run(joining('a')));
    expect(again).toMatchObject({ events: [], known: [{ sequence: 2 }], sequence: 3 });
    expect(again.position).toBeGreaterThanOrEqual((await stored()).at(-1)!.position);
    expect(watched.appends).toEqual([]);
  });

  it('acknowledges nothing that is not in the log', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, i) => (i % 3 === 0 ? leaving(`k${i}`) : joining(`k${i}`))).map((one) =>
        mailboxes.run(one),
      ),
    );
    const positions = new Set((await stored()).map(({ position }) => position));
    for (const outcome of outcomes) {
      if (either.isRight(outcome)) for (const one of outcome.right.events) expect(positions).toContain(one.position);
    }
  });

  it('gives an event an id of its own each time that it is made', async () => {
    watched.before = async () => either.left({ kind: 'unavailable', reason: 'x' });
    await mailboxes.run(event('a'));
    watched.before = async () => undefined;
    await mailboxes.run(event('a'));
    await mailboxes.run(event('b'));
    expect(new Set(watched.appends.map(({ events }) => events[0]!.id)).size).toBe(3);
  });
});

describe('preparation', () => {
  const prepared = async () => either.right(undefined);
  /** A task that records an event for a person once it is prepared. */
  const eventOf = (actor: string, key: string, prepare: Task<MemberState, undefined>['prepare']) => ({
    ...event(key),
    cause: { ...causeOf(key), actor },
    prepare,
  });
  /** A preparation that lasts until the spec ends it. */
  const held = () => {
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    return { end, prepare: () => ended.then(prepared) };
  };

  it('begins when a task is queued, not when its turn comes', async () => {
    const first = held();
    let begun = false;
    const running = [
      mailboxes.run(eventOf('1', 'a', first.prepare)),
      mailboxes.run(
        eventOf('1', 'b', async () => {
          begun = true;
          return either.right(undefined);
        }),
      ),
    ];
    expect(begun).toBe(true);
    first.end();
    await Promise.all(running);
  });

  it('holds nobody else up when it is slow', async () => {
    const slow = held();
    const late = mailboxes.run(eventOf('1', 'slow', slow.prepare));
    right(await mailboxes.run(eventOf('2', 'neighbour', prepared)));
    right(await mailboxes.run(eventOf('3', 'another', prepared)));
    expect(await keysOf()).toEqual(['neighbour', 'another']);
    slow.end();
    right(await late);
    expect(await keysOf()).toEqual(['neighbour', 'another', 'slow']);
  });

  it("holds up the same person's later commands on the same stream only", async () => {
    const slow = held();
    const both = [mailboxes.run(eventOf('1', 'first', slow.prepare)), mailboxes.run(eventOf('1', 'second', prepared))];
    right(await mailboxes.run(eventOf('2', 'neighbour', prepared)));
    right(await mailboxes.run({ ...eventOf('1', 'elsewhere', prepared), stream: 'member-1_3' }));
    expect(await keysOf()).toEqual(['neighbour']);
    slow.end();
    await Promise.all(both);
    expect(await keysOf()).toEqual(['neighbour', 'first', 'second']);
  });

  it('keeps tasks of one lane in order, whoever they belong to', async () => {
    const slow = held();
    const both = [
      mailboxes.run({ ...eventOf('1', 'first', slow.prepare), lane: 'import' }),
      mailboxes.run({ ...eventOf('2', 'second', prepared), lane: 'import' }),
    ];
    slow.end();
    await Promise.all(both);
    expect(await keysOf()).toEqual(['first', 'second']);
  });

  it('makes one batch of fifty at once', async () => {
    const people = Array.from({ length: 50 }, (_, i) => String(i + 100));
    await Promise.all(people.map((actor) => mailboxes.run(eventOf(actor, `k${actor}`, prepared))));
    expect(watched.appends.map(({ events }) => events.length)).toEqual([50]);
    expect(await keysOf()).toEqual(people.map((actor) => `k${actor}`));
  });

  it("keeps each person's order however long it takes, and every task is answered once", async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ actor: fc.constantFrom('1', '2', '3'), after: fc.nat(6), fails: fc.boolean() }), {
          minLength: 1,
          maxLength: 30,
        }),
        fc.scheduler(),
        async (tasks, scheduler) => {
          run += 1;
          const stream = `member-9_${run}`;
          const answers = new Map<number, number>();
          const running = tasks.map(async ({ actor, after, fails }, i) => {
            const prepare = async () => {
              for (let step = 0; step < after; step += 1) await scheduler.schedule(Promise.resolve());
              return fails ? either.left(parleyError('unknownGuild')) : either.right(undefined);
            };
            const outcome = await mailboxes.run({ ...eventOf(actor, `${i}`, prepare), stream });
            answers.set(i, (answers.get(i) ?? 0) + 1);
            expect(refusal(outcome)).toBe(fails ? 'unknownGuild' : undefined);
          });
          await scheduler.waitFor(Promise.all(running));
          expect([...answers.values()]).toEqual(tasks.map(() => 1));
          const kept = await log.readStream({ stream, limit: 1000 });
          expect(kept).toHaveLength(tasks.filter(({ fails }) => !fails).length);
          for (const actor of ['1', '2', '3']) {
            const order = kept.filter((one) => one.actor === actor).map(({ key }) => Number(key));
            expect(order).toEqual(order.toSorted((a, b) => a - b));
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('rights', () => {
  /** A task that asks again, if it waited, whether its person may still do it. It waits behind a task that is held. */
  const waiting = async (refresh: NonNullable<Task<MemberState, undefined>['refresh']>) => {
    let end = (): void => {};
    const held = new Promise<void>((resolve) => {
      end = resolve;
    });
    const before = mailboxes.run(
      task(
        'before',
        () => nothing,
        () => held.then(() => either.right(undefined)),
      ),
    );
    const outcome = mailboxes.run({ ...event('late'), refresh });
    // What the tests then let pass, passes after the first reading.
    await new Promise((resolve) => setImmediate(resolve));
    return { outcome, before, end };
  };

  it('are not read again when they were read a moment ago', async () => {
    let asked = 0;
    const { outcome, before, end } = await waiting(async () => {
      asked += 1;
      return either.right(undefined);
    });
    elapsed += 50;
    end();
    await before;
    right(await outcome);
    expect(asked).toBe(0);
  });

  it('are gone when they were taken away while the command waited for its turn', async () => {
    const { outcome, before, end } = await waiting(async () => either.left(parleyError('missingPermissions')));
    elapsed += 5000;
    end();
    await before;
    expect(refusal(await outcome)).toBe('missingPermissions');
    expect(await keysOf()).toEqual([]);
  });

  it('let the command be retried when they cannot be read again, and hold up no neighbour', async () => {
    const { outcome, before, end } = await waiting(async () => Promise.reject(new Error('views are gone')));
    elapsed += 5000;
    end();
    await before;
    expect(refusal(await outcome)).toBe('unavailable');

    const hanging = await waiting(() => new Promise(() => {}));
    elapsed += 5000;
    hanging.end();
    right(await mailboxes.run({ ...event('neighbour'), cause: { ...causeOf('neighbour'), actor: '7' } }));
    expect(await keysOf()).toEqual(['neighbour']);
  });
});

describe('rights that are slow to read', () => {
  /** A mailbox on a clock that the spec moves, and a task that reads for as long as it is told to. */
  const slowMailboxes = () => {
    const clock = new TestClock();
    const slow = mailboxesOn(watched.log, { clock });
    const reads: number[] = [];
    const slowly =
      (ms: number, i: number, may: () => boolean = () => true) =>
      async () => {
        reads[i] = (reads[i] ?? 0) + 1;
        await clock.delay(ms);
        return may() ? either.right(undefined) : either.left(parleyError('missingPermissions'));
      };
    return { clock, slow, reads, slowly };
  };

  it('are read once when nothing was waited for', async () => {
    const { clock, slow, reads, slowly } = slowMailboxes();
    const outcome = slow.run({ ...event('a'), prepare: slowly(5000, 0), refresh: slowly(5000, 0) });
    await passingOn(clock).until(settled(outcome));
    right(await outcome);
    expect(reads).toEqual([1]);
  });

  it('are read again once before a turn, and decide it however long that took', async () => {
    const { clock, slow, reads, slowly } = slowMailboxes();
    // Every append takes so long that what was read during it is too old afterwards.
    watched.before = async () => {
      await clock.delay(300);
      return undefined;
    };
    const busy = slow.run({ ...event('busy'), cause: { ...causeOf('busy'), actor: '7' } });
    const outcome = slow.run({ ...event('late'), prepare: slowly(10, 0), refresh: slowly(150, 0) });
    const neighbours = [400, 700].map(async (after) => {
      await clock.delay(after);
      return slow.run({ ...event(`n${after}`), cause: { ...causeOf(`n${after}`), actor: `${after}` } });
    });
    await passingOn(clock).until(settled(Promise.all([busy, outcome, ...neighbours])));
    right(await outcome);
    expect(reads).toEqual([2]);
  });

  it('answer every task, and refuse those whose person lost them while they were queued', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            actor: fc.constantFrom('1', '2', '3', '4'),
            at: fc.nat(500),
            first: fc.nat(400),
            again: fc.nat(400),
            leavesAt: fc.option(fc.nat(1000), { nil: undefined }),
          }),
          { minLength: 1, maxLength: 8 },
        ),
        fc.nat(300),
        async (tasks, append) => {
          run += 1;
          const stream = `member-8_${run}`;
          const { clock, slow, reads, slowly } = slowMailboxes();
          const began: number[] = [];
          const decided: number[] = [];
          watched.before = async () => {
            await clock.delay(append);
            return undefined;
          };
          const running = tasks.map(async ({ actor, at, first, again, leavesAt }, i) => {
            await clock.delay(at);
            let read = 0;
            const may = () => {
              read = clock.monotonic();
              return leavesAt === undefined || read < leavesAt;
            };
            const outcome = await slow.run<MemberState, undefined>({
              ...{ stream, cause: { ...causeOf(`${i}`), actor } },
              prepare: slowly(first, i, may),
              refresh: slowly(again, i, may),
              decide: () => {
                began[i] = read;
                decided[i] = clock.monotonic();
                return happen({ type: 'member-left', data: { ...membership, how: 'left' } });
              },
            });
            expect(refusal(outcome)).toBe(decided[i] === undefined ? 'missingPermissions' : undefined);
            // A reading may end during one append and the wait for other rights, and the next turn takes it.
            if (decided[i] !== undefined) expect(decided[i]! - began[i]!).toBeLessThanOrEqual(append + 100 + 50);
            const before = tasks.filter((other) => other.actor === actor).length - 1;
            expect(reads[i]).toBeLessThanOrEqual(2 + before);
          });
          await passingOn(clock).until(settled(Promise.all(running)));
          await Promise.all(running);
        },
      ),
      {
        numRuns: 30,
        examples: [
          // The third waits behind the second while the rights of the last are read again, and is due after that.
          [
            [
              { actor: '1', at: 0, first: 300, again: 0, leavesAt: undefined },
              { actor: '2', at: 0, first: 302, again: 0, leavesAt: undefined },
              { actor: '2', at: 1, first: 0, again: 0, leavesAt: 200 },
              { actor: '1', at: 0, first: 0, again: 50, leavesAt: undefined },
            ],
            0,
          ],
        ],
      },
    );
  });
});

describe('another writer on the same stream', () => {
  it('makes the mailbox read the new events and decide again, and sequences stay dense', async () => {
    await mailboxes.run(event('first'));
    const other = mailboxesOn(log);
    // The person joined in between, so what this task decided at first no longer holds.
    watched.before = async () => {
      watched.before = async () => undefined;
      await other.run(joining('theirs'));
      return undefined;
    };
    const [mine, more] = await Promise.all([mailboxes.run(joining('mine')), mailboxes.run(event('more'))]);
    expect(conflicts).toBe(1);
    expect(right(mine!)).toMatchObject({ events: [], sequence: 2 });
    expect(right(more!).events.map(({ sequence }) => sequence)).toEqual([3]);
    expect(await keysOf()).toEqual(['first', 'theirs', 'more']);
  });

  it('makes a task that decided nothing decide again on what the other node changed', async () => {
    await mailboxes.run(joining('a'));
    const elsewhere = mailboxesOn(log);
    await elsewhere.run(leaving('b'));
    // This node does not know of any member to act on; the stream does.
    const again = right(await mailboxes.run(joining('c')));
    expect(again.events.map(({ type }) => type)).toEqual(['member-joined']);
    expect(right(await elsewhere.run(joining('d'))).events).toEqual([]);
    expect((await stored()).map(({ type }) => type)).toEqual(['member-joined', 'member-left', 'member-joined']);
  });

  it('leaves one dense stream with everything in it when both write at the same time', async () => {
    const writers = [mailboxes, mailboxesOn(log), mailboxesOn(log)];
    const keys = Array.from({ length: 60 }, (_, i) => `k${i}`);
    const outcomes = await Promise.all(keys.map((key, i) => writers[i % 3]!.run(event(key))));
    for (const outcome of outcomes) right(outcome);
    expect((await keysOf()).toSorted()).toEqual(keys.toSorted());
    expect(dense((await stored()).map(({ sequence }) => sequence))).toBe(true);
  });

  it('is given up on after a bounded number of tries if it always wins', async () => {
    watched.before = async () => either.left({ kind: 'conflict', actual: 7 });
    expect(refusal(await mailboxes.run(event('a')))).toBe('unavailable');
    expect(watched.appends.length).toBeLessThanOrEqual(10);
    watched.before = async () => undefined;
    right(await mailboxes.run(event('b')));
  });
});

describe('a log that cannot store', () => {
  it('refuses all waiting tasks when its disk is full, and no state changes', async () => {
    await mailboxes.run(joining('a'));
    watched.before = async () => either.left({ kind: 'full' });
    const refused = await Promise.all([leaving('b'), joining('c')].map((one) => mailboxes.run(one)));
    expect(refused.map(refusal)).toEqual(['diskFull', 'diskFull']);
    watched.before = async () => undefined;
    // Still a member, and the keys of the refused tasks are unknown.
    expect(right(await mailboxes.run(joining('d'))).events).toEqual([]);
    expect(right(await mailboxes.run(leaving('b'))).events[0]).toMatchObject({ type: 'member-left', sequence: 2 });
  });

  it('invites a repetition only when nothing was stored and a repetition may be', async () => {
    const answerTo = async (error: AppendError) => {
      watched.before = async () => either.left(error);
      const outcome = await mailboxes.run(event('a'));
      return either.isLeft(outcome) && [outcome.left.status, outcome.left.retryAfter];
    };
    expect(await answerTo({ kind: 'full' })).toEqual([503, 30]);
    expect(await answerTo({ kind: 'unavailable', reason: 'x' })).toEqual([503, 5]);
    expect(await answerTo({ kind: 'unknown', reason: 'x' })).toEqual([504, undefined]);
    expect(await answerTo({ kind: 'refused', reason: 'x' })).toEqual([500, undefined]);
    watched.before = async () => Promise.reject(new Error('a bug'));
    expect(refusal(await mailboxes.run(event('b')))).toBe('outcomeUnknown');
    watched.before = async () => undefined;
    expect(right(await mailboxes.run(event('c'))).sequence).toBe(1);
  });

  it('says that the outcome is unknown where something fails once it is stored, and reports it once', async () => {
    const bug = new Error('a bug');
    let failing = true;
    mailboxes = mailboxesOn(log, {
      onStored: () => {
        if (failing) throw bug;
      },
    });
    const asked = [joining('a'), task('b', () => nothing)];
    const outcomes = await Promise.all(asked.map((one) => mailboxes.run(one)));
    expect(outcomes.map(refusal)).toEqual(['outcomeUnknown', 'outcomeUnknown']);
    expect(failures).toEqual([[STREAM, bug]]);
    failing = false;
    expect(right(await mailboxes.run(joining('a')))).toMatchObject({ events: [], sequence: 1 });
    expect(await keysOf()).toEqual(['a']);
  });

  it('reports a stream that cannot be read, and lets the commands be repeated', async () => {
    const broken = Object.create(log, { readStream: { value: () => Promise.reject(new Error('broken')) } }) as EventLog;
    mailboxes = mailboxesOn(broken);
    expect(refusal(await mailboxes.run(event('a')))).toBe('unavailable');
    expect(failures).toEqual([[STREAM, new Error('broken')]]);
    expect(await keysOf()).toEqual([]);
  });

  it('answers a repetition from what was stored after an unknown outcome', async () => {
    watched.before = async (request) => {
      await log.append(request);
      return either.left({ kind: 'unknown', reason: 'no answer' });
    };
    expect(refusal(await mailboxes.run(joining('a')))).toBe('outcomeUnknown');
    watched.before = async () => undefined;
    expect(right(await mailboxes.run(joining('a'))).sequence).toBe(1);
    expect(await keysOf()).toEqual(['a']);
  });

  it('refuses only the task whose event it refuses, and stores those of its neighbours in order', async () => {
    watched.before = async ({ events }) =>
      events.some(({ key }) => key === 'bad') ? either.left({ kind: 'refused', reason: 'too large' }) : undefined;
    const keys = ['a', 'b', 'bad', 'c', 'd'];
    const outcomes = await Promise.all(keys.map((key) => mailboxes.run(event(key))));
    expect(outcomes.map(either.isRight)).toEqual([true, true, false, true, true]);
    expect(refusal(outcomes[2]!)).toBe('refusedByLog');
    expect(await keysOf()).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('a task whose request is traced', () => {
  const tracedBy = (traceparent: string | null, of: Task<MemberState, undefined>) => ({
    ...of,
    cause: { ...of.cause, traceparent },
  });

  it('has a span for each time it is decided, whatever the outcome', async () => {
    const { spans, ended } = keptSpans();
    const traced = mailboxesOn(watched.log, { spans });
    watched.before = async () => {
      watched.before = async () => undefined;
      return either.left({ kind: 'conflict', actual: 0 });
    };
    const refusing = task('c', () => refuse('missingPermissions'));
    const tasks = [
      tracedBy('one', event('a')),
      tracedBy(null, event('b')),
      tracedBy('other', refusing),
      tracedBy(
        'third',
        task('d', async () => Promise.reject(new Error('a bug'))),
      ),
    ];
    const outcomes = await Promise.all(tasks.map((one) => traced.run(one)));
    expect(outcomes.map(either.isRight)).toEqual([true, true, false, false]);
    expect(ended.map(({ name, of }) => `${name} ${of}`)).toEqual([
      ...['decide one', 'decide other', 'decide third'],
      ...['decide one', 'decide other', 'decide third'],
    ]);
    expect(ended[0]!.attributes).toEqual({ 'parley.stream': STREAM });
  });
});
