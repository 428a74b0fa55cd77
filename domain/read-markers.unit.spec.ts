import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DecidedEvent } from '../schemas/events/catalogue.ts';
import {
  type Mark,
  markRead,
  markUnread,
  mergeReads,
  type ReadState,
  readFold,
  WHOLE_MAP_EVERY,
} from './read-markers.ts';
import { ANN, events, History, only } from './testing.ts';

const read = (mark: Mark, state: ReadState) => markRead(ANN, [mark], state);
const history = () => new History(readFold, `read-${ANN}`);
const reading = (channelId: string, ordinal: number, known = 0) => ({ channelId, ordinal, known });

/** The result of one mailbox turn with several acknowledgements. */
const turn = (marks: History<ReturnType<typeof readFold.initial>>, reads: readonly (readonly [string, number])[]) => {
  const decided = reads.flatMap(([channel, ordinal]) => events(read(reading(channel, ordinal), marks.state)));
  return mergeReads(decided, marks.state);
};
const dataOf = ([event]: readonly DecidedEvent[]) => {
  if (event?.type !== 'channels-read') throw new Error('expected read markers');
  return event.data;
};

describe('a read marker', () => {
  it('moves forward', () => {
    const marks = history().given((state) => read(reading('7', 3), state));
    expect(only(read(reading('7', 4), marks.state))).toEqual({
      type: 'channels-read',
      data: { userId: ANN, channels: { 7: 4 }, back: {}, whole: false },
    });
  });

  it('never moves back, and ignores its present position', () => {
    const marks = history().given((state) => read(reading('7', 3), state));
    for (const ordinal of [3, 2, 0]) expect(events(read(reading('7', ordinal), marks.state))).toEqual([]);
  });

  it('does not move to a place before what the views know to be read, such as own messages', () => {
    for (const ordinal of [1, 5]) expect(events(read(reading('7', ordinal, 5), history().state))).toEqual([]);
    expect(events(read(reading('7', 6, 5), history().state))).toHaveLength(1);
  });

  it('moves back only when its channel is marked as unread, and forward again from there', () => {
    const back = { userId: ANN, channelId: '7', ordinal: 1, last: 5 };
    const marks = history()
      .given((state) => read(reading('7', 3), state))
      .given((state) => markUnread(back, state));
    expect(marks.state.channels.get('7')).toBe(1);
    expect(events(markUnread(back, marks.state))).toEqual([]);
    expect(only(read(reading('7', 2, 1), marks.state)).data).toMatchObject({ channels: { 7: 2 }, back: {} });
    // Of the same turn, what comes last counts.
    const ways = [
      events(read(reading('7', 4, 1), marks.state)),
      events(markUnread({ ...back, ordinal: 2 }, marks.state)),
    ];
    expect(dataOf(mergeReads(ways.flat(), marks.state))).toMatchObject({ channels: { 7: 2 }, back: { 7: 5 } });
    expect(dataOf(mergeReads(ways.reverse().flat(), marks.state))).toMatchObject({
      channels: { 7: 4 },
      back: { 7: 5 },
    });
  });

  it('moves forward from where its channel is unread, also before the views know that', () => {
    const marks = history()
      .given((state) => read(reading('7', 5), state))
      .given((state) => markUnread({ userId: ANN, channelId: '7', ordinal: 1, last: 5 }, state));
    expect(only(read(reading('7', 3, 5), marks.state)).data).toMatchObject({ channels: { 7: 3 } });
    expect(events(read(reading('7', 1, 5), marks.state))).toEqual([]);
    // An own message since then, which the views know.
    expect(events(read(reading('7', 3, 6), marks.state))).toEqual([]);
  });

  it('is separate for each channel', () => {
    const marks = history().given((state) => read(reading('7', 3), state));
    expect(events(read(reading('8', 1), marks.state))).toHaveLength(1);
  });
});

describe('several markers', () => {
  it('are one event, without those that change nothing, and the highest of one channel counts', () => {
    const marks = history().given((state) => read(reading('7', 3), state));
    const asked = [reading('7', 3), reading('8', 2), reading('8', 5), reading('8', 4), reading('9', 1, 1)];
    expect(only(markRead(ANN, asked, marks.state))).toMatchObject({ data: { channels: { 8: 5 }, whole: false } });
    expect(events(markRead(ANN, asked.slice(0, 1), marks.state))).toEqual([]);
    expect(events(markRead(ANN, [], marks.state))).toEqual([]);
  });
});

describe('the markers of one turn', () => {
  it('become one event with the furthest ordinal of each channel', () => {
    expect(
      turn(history(), [
        ['7', 3],
        ['8', 1],
        ['7', 2],
      ]),
    ).toEqual([{ type: 'channels-read', data: { userId: ANN, channels: { 7: 3, 8: 1 }, back: {}, whole: false } }]);
  });

  it('become no event if nothing was read', () => {
    expect(turn(history(), [])).toEqual([]);
  });

  it('become the whole map every thousandth time, so a reader can start there', () => {
    const marks = history();
    for (let i = 1; i < WHOLE_MAP_EVERY; i += 1) marks.record(turn(marks, [[String(i % 5), i]]));
    const thousandth = dataOf(
      turn(marks, [
        ['9', 1],
        ['1', 2000],
      ]),
    );
    expect(thousandth).toEqual({
      userId: ANN,
      whole: true,
      channels: { 0: 995, 1: 2000, 2: 997, 3: 998, 4: 999, 9: 1 },
      back: {},
    });
    marks.record([{ type: 'channels-read', data: thousandth }]);
    expect(dataOf(turn(marks, [['9', 2]]))).toEqual({ userId: ANN, channels: { 9: 2 }, back: {}, whole: false });
  });

  it('have the same effect as one after another', () => {
    const read = fc.tuple(fc.constantFrom('1', '2', '3'), fc.integer({ min: 0, max: 50 }));
    fc.assert(
      fc.property(fc.array(read, { maxLength: 30 }), (reads) => {
        const [together, alone] = [history(), history()];
        together.record(turn(together, reads));
        for (const one of reads) alone.record(turn(alone, [one]));
        expect(together.state.channels).toEqual(alone.state.channels);
      }),
    );
  });
});
