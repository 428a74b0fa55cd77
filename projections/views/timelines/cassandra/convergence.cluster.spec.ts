import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParleyEvent } from '../../../../schemas/events/catalogue.ts';
import { messageId, Story } from '../../../testing.ts';
import { type MessageRow, type TimelineReader, timelineChanges } from '../view.ts';
import { type SmallTimelines, smallTimelines, type TestCassandra, testCassandra } from './testing.ts';

const ANN = '10';
const BOB = '11';
const MESSAGES = 5;

type Step =
  | { readonly kind: 'edit' | 'remove' | 'remove all' | 'suppress' | 'clear' | 'clear all'; readonly ordinal: number }
  | { readonly kind: 'react'; readonly ordinal: number; readonly user: string; readonly emoji: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('edit' as const), ordinal: fc.integer({ min: 1, max: 5 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('remove' as const, 'remove all' as const),
      ordinal: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('suppress' as const, 'clear' as const, 'clear all' as const),
      ordinal: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('react' as const),
      ordinal: fc.integer({ min: 1, max: MESSAGES }),
      user: fc.constantFrom(ANN, BOB),
      emoji: fc.constantFrom('👍', '🎉'),
    }),
  },
);

/** What a channel decides: an existing reaction is taken back, and a deleted message stays as it is. */
const told = (story: Story, channelId: string, steps: readonly Step[]): void => {
  const reactions = new Set<string>();
  const deleted = new Set<number>();
  for (let n = 0; n < MESSAGES; n += 1) story.post(channelId, ANN, { mentions: { users: [BOB], everyone: false } });
  for (const one of steps) {
    if (deleted.has(one.ordinal)) continue;
    if (one.kind === 'react') {
      const key = `${one.ordinal} ${one.user} ${one.emoji}`;
      if (reactions.delete(key)) story.unreact(channelId, one.ordinal, one.user, one.emoji);
      else {
        reactions.add(key);
        story.react(channelId, one.ordinal, one.user, one.emoji);
      }
    } else if (one.kind === 'edit') story.edit(channelId, one.ordinal, ANN);
    else if (one.kind === 'suppress')
      story.suppressEmbeds(channelId, one.ordinal, story.log.all.length % 2 === 0 ? 4 : 0);
    else if (one.kind === 'clear' || one.kind === 'clear all') {
      const emoji = one.kind === 'clear' ? '👍' : null;
      story.clear(channelId, one.ordinal, emoji);
      for (const key of reactions)
        if (key.startsWith(`${one.ordinal} `) && (emoji === null || key.endsWith(emoji))) reactions.delete(key);
    } else {
      const gone = [one.ordinal, one.ordinal + 1].slice(0, one.kind === 'remove' ? 1 : 2);
      const living = gone.filter((ordinal) => ordinal <= MESSAGES && !deleted.has(ordinal));
      if (one.kind === 'remove') story.remove(channelId, one.ordinal, ANN);
      else story.removeAll(channelId, living, ANN);
      for (const ordinal of living) deleted.add(ordinal);
    }
  }
};

const nameless = (rows: readonly (MessageRow | undefined)[]) => rows.map((row) => row && { ...row, channelId: '' });

const everythingIn = async (reader: TimelineReader, channelId: string, idsOf = channelId) => {
  const ids = Array.from({ length: MESSAGES }, (_, n) => messageId(idsOf, n + 1));
  return {
    page: nameless(await reader.page(channelId, { limit: 50 }, ANN)),
    messages: nameless(await Promise.all(ids.map((id) => reader.message(channelId, id, BOB)))),
    facts: await Promise.all(ids.map((id) => reader.facts(channelId, id, { userId: ANN, emoji: '👍' }))),
    thumbs: await Promise.all(ids.map((id) => reader.reactors(channelId, id, '👍', { limit: 9 }))),
  };
};

/** The same events moved to another channel. */
const inChannel = (events: readonly ParleyEvent[], from: string, to: string): readonly ParleyEvent[] =>
  JSON.parse(JSON.stringify(events).replaceAll(`channel-${from}`, `channel-${to}`)) as ParleyEvent[];

describe('the rows of a channel', () => {
  let cassandra: TestCassandra;
  let timelines: SmallTimelines;
  let next = 100;

  beforeAll(async () => {
    cassandra = await testCassandra();
    timelines = smallTimelines(cassandra.client, await cassandra.generation(), 2);
  });
  afterAll(() => cassandra.drop());

  it('are the same in whatever order, and however often, its events are applied', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.infiniteStream(fc.nat()),
        fc.array(fc.nat(), { maxLength: 10 }),
        async (steps, order, again) => {
          const straight = String(next++);
          const shuffled = String(next++);
          const story = new Story();
          told(story, straight, steps);
          await timelines.apply(story.log.all);

          const events = inChannel(story.log.all, straight, shuffled);
          const repeated = [...events, ...again.map((n) => events[n % events.length]!)];
          const places = new Map(repeated.map((_, at) => [at, order.next().value as number]));
          const mixed = [...repeated.keys()].sort((a, b) => places.get(a)! - places.get(b)!).map((at) => repeated[at]!);
          for (let at = 0; at < mixed.length; ) {
            const size = 1 + ((places.get(at) ?? 0) % 5);
            await timelines.apply(mixed.slice(at, at + size));
            at += size;
          }
          const expected = await everythingIn(timelines.reader, straight);
          const found = await everythingIn(timelines.reader, shuffled, straight);
          expect(found).toEqual(expected);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('count reactions like a recount from the beginning', async () => {
    const channelId = String(next++);
    const story = new Story();
    told(story, channelId, [
      { kind: 'react', ordinal: 1, user: ANN, emoji: '👍' },
      { kind: 'react', ordinal: 1, user: BOB, emoji: '👍' },
      { kind: 'react', ordinal: 1, user: ANN, emoji: '👍' },
    ]);
    await timelines.apply([...story.log.all].reverse());
    const row = await timelines.reader.message(channelId, messageId(channelId, 1), BOB);
    expect(row?.reactions).toEqual([{ emoji: '👍', count: 1, me: true }]);
  });

  it('never show half a message whose edit, reaction or deletion arrived before the post', async () => {
    const channelId = String(next++);
    const story = new Story();
    const post = story.post(channelId, ANN);
    story.post(channelId, ANN);
    const edit = story.edit(channelId, 2, BOB);
    story.react(channelId, 2, BOB, '👍');
    const id = messageId(channelId, 2);
    const [, second] = story.log.all;
    await timelines.apply([post, ...story.since(2)]);
    expect(await timelines.reader.message(channelId, id, ANN)).toBeUndefined();
    expect(await timelines.reader.messages(channelId, [id], ANN)).toEqual([]);
    expect((await timelines.reader.page(channelId, { limit: 5 }, ANN)).map((row) => row.ordinal)).toEqual([1]);
    expect((await timelines.reader.facts(channelId, id)).facts).toBeUndefined();

    await timelines.apply([second!]);
    const row = await timelines.reader.message(channelId, id, ANN);
    expect(row).toMatchObject({ author: ANN, sealed: edit.data.sealed, editedTime: edit.time });
    expect(row?.reactions).toEqual([{ emoji: '👍', count: 1, me: false }]);
  });

  it('stay without text when the post of a deleted message is repeated', async () => {
    const channelId = String(next++);
    const story = new Story();
    const post = story.post(channelId, ANN);
    story.remove(channelId, 1, ANN);
    await timelines.apply(story.log.all);
    await timelines.apply([post]);
    expect(await timelines.reader.message(channelId, post.data.messageId, ANN)).toMatchObject({
      deleted: true,
      sealed: null,
    });
  });

  it('hold as much as their facts claim, even while the channel’s own progress lags behind them', async () => {
    const channelId = String(next++);
    const story = new Story();
    story.post(channelId, ANN);
    story.react(channelId, 1, ANN, '👍');
    await timelines.apply(story.log.all);
    const late = story.react(channelId, 1, BOB, '👍');
    await timelines.writer.apply(timelineChanges([late]).filter((change) => change.kind !== 'through'));
    const { through, facts } = await timelines.reader.facts(channelId, messageId(channelId, 1));
    expect({ through, count: facts?.reactions.get('👍') }).toEqual({ through: 3, count: 2 });
  });
});
