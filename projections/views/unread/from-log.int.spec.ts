import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { MemoryLog } from '../../../log/memory.ts';
import { systemClock } from '../../../schemas/clock.ts';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { TimeSlices } from '../../../schemas/time-slices.ts';
import { memoryDatabase } from '../../../stores/testing.ts';
import { Story } from '../../testing.ts';
import { GuildCache, SqliteGuildReader } from '../guild-views/sqlite/reader.ts';
import { guildTables } from '../guild-views/sqlite/writer.ts';
import { UnreadFromLog } from './from-log.ts';
import { Floors, Unread } from './reader.ts';
import { SqliteUnread, unreadTables } from './sqlite.ts';
import { CHANNELS, tellUnread, USERS, unreadStep } from './testing.ts';
import { unreadChanges } from './view.ts';

const [ANN, BOB] = USERS as [string, string];
const [CHANNEL] = CHANNELS as [string];
const BOB_MENTIONED = { users: [BOB], everyone: false };

/** Nobody knows these channels, so everybody counts from the first message. */
const noGuilds = new SqliteGuildReader(memoryDatabase(guildTables), new GuildCache(), new TimeSlices(systemClock));
const floorsOf = (log: MemoryLog) => new Floors(noGuilds, log);
const fromLog = (log: MemoryLog) => new UnreadFromLog(log, floorsOf(log));
const append = (log: MemoryLog, events: readonly ParleyEvent[]) => {
  for (const { stream, type, data } of events) log.add(stream, type, data);
};
const readBy = (log: MemoryLog) => vi.spyOn(log, 'readStream');
const eventsRead = async (read: ReturnType<typeof readBy>): Promise<number> => {
  const answers = await Promise.all(read.mock.results.map(({ value }) => value as Promise<readonly ParleyEvent[]>));
  return answers.reduce((sum, answer) => sum + answer.length, 0);
};

describe('unread counts from the log', () => {
  it('equal those of the store, also while the log grows', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(unreadStep, { maxLength: 60 }), fc.nat(60), async (steps, cut) => {
        const events = tellUnread(steps).log.all;
        const log = new MemoryLog();
        const unread = fromLog(log);
        const rows = new SqliteUnread(memoryDatabase(unreadTables), new TimeSlices(systemClock));
        const stored = new Unread(rows, floorsOf(log));
        for (const part of [events.slice(0, cut), events.slice(cut)]) {
          append(log, part);
          rows.apply(unreadChanges(part));
          for (const userId of USERS)
            expect(await unread.readStates(userId, CHANNELS)).toEqual(await stored.readStates(userId, CHANNELS));
          expect(await unread.heads(CHANNELS)).toEqual(await stored.heads(CHANNELS));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('find the last message below thousands of reactions', async () => {
    const story = new Story();
    story.post(CHANNEL, ANN);
    for (let n = 0; n < 2000; n += 1) story.react(CHANNEL, 1, String(100 + n), '👍');
    const unread = fromLog(story.log);
    expect(await unread.head(CHANNEL)).toMatchObject({ ordinal: 1, sequence: 2001, position: 2001 });
    story.react(CHANNEL, 1, BOB, '👍');
    const read = readBy(story.log);
    expect(await unread.head(CHANNEL)).toMatchObject({ ordinal: 1, sequence: 2002 });
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('search a few hundred events for mentions at most, and are right about the rest', async () => {
    const story = new Story();
    story.post(CHANNEL, BOB);
    for (let n = 0; n < 1000; n += 1) story.post(CHANNEL, ANN, { mentions: BOB_MENTIONED });
    story.read(BOB, { [CHANNEL]: 10 });
    const read = readBy(story.log);
    const [state] = await fromLog(story.log).readStates(BOB, [CHANNEL]);
    expect(state).toMatchObject({ readOrdinal: 10, unread: 991, mentions: 300 });
    expect(await eventsRead(read)).toBeLessThan(400);
  });

  it('read markers back only to the event that lists them all', async () => {
    const story = new Story();
    story.post(CHANNEL, ANN);
    for (let n = 0; n < 5; n += 1) story.post('31', ANN);
    for (let n = 0; n < 3000; n += 1)
      story.log.add(`read-${BOB}`, 'channels-read', {
        userId: BOB,
        channels: n % 1000 === 999 ? { [CHANNEL]: 1, '31': 3 } : { '31': 3 },
        back: {},
        whole: n % 1000 === 999,
      });
    for (let n = 0; n < 30; n += 1) story.read(BOB, { '31': 4 });
    const unread = fromLog(story.log);
    const read = readBy(story.log);
    const states = await unread.readStates(BOB, [CHANNEL, '31']);
    expect(states).toMatchObject([{ unread: 0 }, { readOrdinal: 4, unread: 1 }]);
    expect(await eventsRead(read)).toBeLessThan(200);
  });
});
