import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../schemas/clock.ts';
import { StoreUnavailable } from '../../../schemas/errors.ts';
import { TimeSlices } from '../../../schemas/time-slices.ts';
import { memoryDatabase } from '../../../stores/testing.ts';
import { messageId, Story } from '../../testing.ts';
import { CurrentTimelines } from './current.ts';
import { SqliteTimelineReader } from './sqlite/reader.ts';
import { SqliteTimelineWriter, timelineTables } from './sqlite/writer.ts';
import { type TimelineReader, timelineChanges } from './view.ts';

const CHANNEL = '30';
const [ANN, BOB] = ['10', '11'];
const MOST = 12;
const ids = Array.from({ length: MOST }, (_, n) => messageId(CHANNEL, n + 1));

/** Timelines that hold the first `held` events of a story, and the log that holds all of it. */
const lateTimelines = (story: Story, held: number, late = true) => {
  const db = memoryDatabase(timelineTables);
  new SqliteTimelineWriter(db).apply(timelineChanges(story.log.all.slice(0, held)));
  const stored = new SqliteTimelineReader(db, new TimeSlices(systemClock));
  return { stored, current: new CurrentTimelines(stored, story.log, () => late), close: () => db.close() };
};

/** Everything that a reader can say about the channel. */
const all = async (timelines: TimelineReader) => ({
  pages: await Promise.all(
    [1, 3, 20].flatMap((limit) => [
      timelines.page(CHANNEL, { limit }, ANN),
      ...['0', ids[2]!, ids[7]!, '9223372036854775807'].flatMap((id) => [
        timelines.page(CHANNEL, { before: id, limit }, ANN),
        timelines.page(CHANNEL, { after: id, limit }, ANN),
        timelines.page(CHANNEL, { around: id, limit }, ANN),
      ]),
    ]),
  ),
  messages: [...(await timelines.messages(CHANNEL, ids, ANN))].sort((a, b) => a.ordinal - b.ordinal),
  reactors: await Promise.all(
    ids.flatMap((id) => [
      timelines.reactors(CHANNEL, id, '👍', { limit: 5 }),
      timelines.reactors(CHANNEL, id, '🎉', { limit: 5 }),
      timelines.reactors(CHANNEL, id, '👍', { after: ANN, limit: 1 }),
    ]),
  ),
  deleted: await timelines.deletedAmong(CHANNEL, ids),
});

const nth = fc.nat(MOST - 1).map((n) => n + 1);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: 'post' as const, ordinal: 0 }) },
  ...(['edit', 'suppress', 'remove', 'removeAll', 'react', 'cheer', 'clear', 'clearAll'] as const).map((kind) => ({
    weight: 1,
    arbitrary: nth.map((ordinal) => ({ kind, ordinal })),
  })),
);

describe('timelines that lag behind the log', () => {
  it('answer what they will answer once they have caught up', () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), fc.nat(50), async (steps, held) => {
        const story = new Story();
        const living = new Set<number>();
        const liked = new Set<string>();
        let posted = 0;
        for (const { kind, ordinal } of steps) {
          if (kind === 'post') {
            if (posted === MOST) continue;
            posted += 1;
            story.post(CHANNEL, BOB);
            living.add(posted);
          } else if (living.has(ordinal)) {
            if (kind === 'edit') story.edit(CHANNEL, ordinal, BOB);
            else if (kind === 'suppress')
              story.suppressEmbeds(CHANNEL, ordinal, story.log.all.length % 2 === 0 ? 4 : 0);
            else if (kind === 'remove') {
              story.remove(CHANNEL, ordinal, BOB);
              living.delete(ordinal);
            } else if (kind === 'removeAll') {
              const some = [...living].filter((other) => other >= ordinal).slice(0, 3);
              story.removeAll(CHANNEL, some, BOB);
              for (const other of some) living.delete(other);
            } else if (kind === 'clear' || kind === 'clearAll') {
              story.clear(CHANNEL, ordinal, kind === 'clear' ? '👍' : null);
              liked.delete(`${ordinal} 👍`);
              if (kind === 'clearAll') liked.delete(`${ordinal} 🎉`);
            } else {
              const emoji = kind === 'react' ? '👍' : '🎉';
              const name = `${ordinal} ${emoji}`;
              if (liked.delete(name)) story.unreact(CHANNEL, ordinal, ANN, emoji);
              else {
                story.react(CHANNEL, ordinal, ANN, emoji);
                liked.add(name);
              }
            }
          }
        }
        const whole = lateTimelines(story, Number.MAX_SAFE_INTEGER);
        const late = lateTimelines(story, held);
        expect(await all(late.current)).toEqual(await all(whole.stored));
        whole.close();
        late.close();
      }),
      {
        numRuns: 20,
        examples: [
          [
            [
              { kind: 'post', ordinal: 0 },
              { kind: 'react', ordinal: 1 },
              { kind: 'remove', ordinal: 1 },
            ],
            0,
          ],
        ],
      },
    ));

  it('never show less than they have shown, whether they are late or not', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ late: fc.boolean(), posts: fc.nat(3), holds: fc.nat(3), single: fc.boolean() }), {
          minLength: 2,
          maxLength: 12,
        }),
        async (steps) => {
          const story = new Story();
          const db = memoryDatabase(timelineTables);
          const writer = new SqliteTimelineWriter(db);
          let late = false;
          const stored = new SqliteTimelineReader(db, new TimeSlices(systemClock));
          const current = new CurrentTimelines(stored, story.log, () => late);
          let [posted, held, before] = [0, 0, 0];
          const newest = async () => (await current.page(CHANNEL, { limit: 1 }, ANN))[0]?.ordinal ?? 0;
          for (const step of steps) {
            for (let n = 0; n < step.posts; n += 1) story.post(CHANNEL, BOB);
            posted += step.posts;
            writer.apply(timelineChanges(story.log.all.slice(held, held + step.holds)));
            held = Math.min(posted, held + step.holds);
            late = step.late;
            if (step.single && posted > 0) {
              const message = await current.message(CHANNEL, messageId(CHANNEL, posted), ANN);
              expect(message?.ordinal).toBe(posted);
              before = posted;
            }
            const now = await newest();
            expect(now).toBeGreaterThanOrEqual(Math.max(before, late ? posted : held));
            before = now;
          }
          db.close();
        },
      ),
      { numRuns: 50 },
    ));

  it('ask the log no more once they hold what was shown', async () => {
    const story = new Story();
    story.post(CHANNEL, ANN);
    const db = memoryDatabase(timelineTables);
    const stored = new SqliteTimelineReader(db, new TimeSlices(systemClock));
    let late = true;
    let asked = 0;
    const log = Object.assign(Object.create(story.log) as typeof story.log, {
      readStream: (query: Parameters<typeof story.log.readStream>[0]) => {
        asked += 1;
        return story.log.readStream(query);
      },
    });
    const current = new CurrentTimelines(stored, log, () => late);
    const newest = async () => (await current.page(CHANNEL, { limit: 1 }, ANN))[0]?.ordinal;
    expect(await newest()).toBe(1);
    late = false;
    story.post(CHANNEL, ANN);
    // As far as it was shown, and no further: the log is not followed for good.
    expect([await newest(), asked]).toEqual([1, 2]);
    new SqliteTimelineWriter(db).apply(timelineChanges(story.log.all));
    expect([await newest(), await newest(), asked]).toEqual([2, 2, 2]);
    db.close();
  });

  it('show everybody else’s reactions as they hold them', async () => {
    const story = new Story();
    story.post(CHANNEL, ANN);
    story.react(CHANNEL, 1, BOB, '👍');
    const held = await story.log.head();
    story.react(CHANNEL, 1, ANN, '👍');
    story.react(CHANNEL, 1, '12', '👍');
    const { current, close } = lateTimelines(story, held);
    const [message] = await current.page(CHANNEL, { limit: 1 }, ANN);
    expect(message?.reactions).toEqual([{ emoji: '👍', count: 2, me: true }]);
    close();
  });

  it.each([['👍'], [null]])('count what others react with after all of it was taken back: %s', async (emoji) => {
    const story = new Story();
    story.post(CHANNEL, ANN);
    for (const user of [ANN, BOB]) story.react(CHANNEL, 1, user, '👍');
    const held = await story.log.head();
    story.clear(CHANNEL, 1, emoji);
    story.react(CHANNEL, 1, BOB, '👍');
    const { current, close } = lateTimelines(story, held);
    const [message] = await current.page(CHANNEL, { limit: 1 }, ANN);
    expect(message?.reactions).toEqual([{ emoji: '👍', count: 1, me: false }]);
    expect(await current.reactors(CHANNEL, messageId(CHANNEL, 1), '👍', { limit: 5 })).toEqual([BOB]);
    close();
  });

  it('make up for large events too, and answer 503 when those have too many bytes', async () => {
    const story = new Story();
    const react = (count: number) => {
      for (let n = 0; n < count; n += 1) story.react(CHANNEL, 1, String(100 + n), '😀'.repeat(16_384));
    };
    story.post(CHANNEL, ANN);
    react(150);
    story.post(CHANNEL, BOB);
    const { current, close } = lateTimelines(story, 1);
    expect((await current.page(CHANNEL, { limit: 1 }, ANN))[0]).toMatchObject({ ordinal: 2 });
    react(400);
    await expect(current.page(CHANNEL, { limit: 1 }, ANN)).rejects.toThrow(StoreUnavailable);
    close();
  });

  it('answer from the store alone while they are not late', async () => {
    const story = new Story();
    story.post(CHANNEL, ANN);
    const { current, close } = lateTimelines(story, 0, false);
    expect(await current.page(CHANNEL, { limit: 1 }, ANN)).toEqual([]);
    close();
  });
});
