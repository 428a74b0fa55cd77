/** Law: the views' counts equal a recount of the log from its first event, however the log was split into batches. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { systemClock } from '../../../schemas/clock.ts';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { TimeSlices } from '../../../schemas/time-slices.ts';
import { memoryDatabase } from '../../../stores/testing.ts';
import { Story } from '../../testing.ts';
import { GuildCache, SqliteGuildReader } from '../guild-views/sqlite/reader.ts';
import { guildTables, SqliteGuildWriter } from '../guild-views/sqlite/writer.ts';
import { guildChanges } from '../guild-views/view.ts';
import { Floors, Unread } from './reader.ts';
import { SqliteUnread, unreadTables } from './sqlite.ts';
import { unreadChanges } from './view.ts';

const USERS = ['11', '12', '13'];
const GUILD = '20';
const TEXT = ['30', '31'];
const DIRECT = '40';
const CHANNELS = [...TEXT, DIRECT];

interface Step {
  readonly action: 'post' | 'edit' | 'remove' | 'react' | 'read' | 'back' | 'stay' | 'cut';
  readonly user: number;
  readonly channel: number;
  readonly ordinal: number;
  readonly named: number[];
  readonly everyone: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  action: fc.constantFrom('post', 'post', 'post', 'edit', 'remove', 'react', 'read', 'back', 'stay', 'cut'),
  user: fc.nat(2),
  channel: fc.nat(2),
  ordinal: fc.integer({ min: 1, max: 12 }),
  named: fc.uniqueArray(fc.nat(2), { maxLength: 2 }),
  everyone: fc.boolean(),
});

/** Performs the steps that are possible. @returns where to split the log into batches */
const tell = (story: Story, steps: readonly Step[]): readonly number[] => {
  const cuts: number[] = [];
  const heads = new Map<string, number>();
  const members = new Set<string>();
  story.guild(GUILD, USERS[0]!);
  story.channel(TEXT[0]!, GUILD);
  story.direct(DIRECT, USERS[0]!, USERS[1]!);
  for (const { action, user, channel, ordinal, named, everyone } of steps) {
    const userId = USERS[user]!;
    const channelId = CHANNELS[channel]!;
    const head = heads.get(channelId) ?? 0;
    const mentions = { users: named.map((n) => USERS[n]!), everyone };
    if (action === 'cut') cuts.push(story.log.all.length);
    else if (action === 'read') story.read(userId, { [channelId]: ordinal });
    else if (action === 'back') story.markUnread(userId, channelId, ordinal, head);
    else if (action === 'stay') {
      if (members.delete(userId)) story.leave(GUILD, userId);
      else {
        members.add(userId);
        story.join(GUILD, userId);
      }
    } else if (action === 'post') {
      heads.set(channelId, head + 1);
      story.post(channelId, userId, { mentions });
    } else if (ordinal > head) continue;
    else if (action === 'edit') story.edit(channelId, ordinal, userId, mentions);
    else if (action === 'remove') story.remove(channelId, ordinal, userId);
    else story.react(channelId, ordinal, userId, '👍');
  }
  return cuts;
};

/** The definition, word by word. */
const recount = (events: readonly ParleyEvent[], userId: string, channelId: string) => {
  let head = 0;
  let marker: number | undefined;
  let floor = channelId === DIRECT && userId !== USERS[2] ? 0 : Number.MAX_SAFE_INTEGER;
  const mentioning = new Set<number>();
  for (const event of events) {
    if (event.type === 'channels-read' && event.data.userId === userId) {
      const read = event.data.channels[channelId];
      const isBack = event.data.back[channelId] !== undefined;
      if (read !== undefined) marker = Math.max(isBack ? 0 : (marker ?? 0), Math.min(read, head));
    }
    if (channelId !== DIRECT && event.type === 'member-joined' && event.data.userId === userId) floor = head;
    if (channelId !== DIRECT && event.type === 'member-left' && event.data.userId === userId)
      floor = Number.MAX_SAFE_INTEGER;
    if (event.stream !== `channel-${channelId}`) continue;
    if (event.type === 'message-deleted') mentioning.delete(event.data.ordinal);
    if (event.type !== 'message-posted' && event.type !== 'message-edited') continue;
    const { ordinal, mentions, author } = event.data;
    const isMentioned = mentions.everyone || mentions.users.includes(userId);
    if (!isMentioned) mentioning.delete(ordinal);
    else if (event.type === 'message-posted') mentioning.add(ordinal);
    if (event.type === 'message-edited') continue;
    head = ordinal;
    if (author === userId) marker = ordinal;
  }
  const readOrdinal = marker ?? Math.min(floor, head);
  return {
    channelId,
    readOrdinal,
    unread: head - readOrdinal,
    mentions: [...mentioning].filter((ordinal) => ordinal > readOrdinal).length,
  };
};

it('unread counts equal a recount of the log', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const story = new Story();
      // A channel that is known from the beginning: all members of the guild have seen its creation.
      story.channel(TEXT[1]!, GUILD);
      const cuts = tell(story, steps);
      const db = memoryDatabase(guildTables + unreadTables);
      const cache = new GuildCache();
      const guildWriter = new SqliteGuildWriter(db, cache);
      const rows = new SqliteUnread(db, new TimeSlices(systemClock));
      const unread = new Unread(
        rows,
        new Floors(new SqliteGuildReader(db, cache, new TimeSlices(systemClock)), story.log),
      );
      let start = 0;
      for (const end of [...cuts, story.log.all.length]) {
        const batch = story.log.all.slice(start, end);
        guildWriter.apply(guildChanges(batch));
        rows.apply(unreadChanges(batch));
        // Reads in between, so that anything cached then would show up later.
        await unread.readStates(USERS[0]!, CHANNELS);
        start = end;
      }
      for (const userId of USERS) {
        const states = await unread.readStates(userId, CHANNELS);
        expect(states.map(({ lastMessageId: _, ...state }) => state)).toEqual(
          CHANNELS.map((channelId) => recount(story.log.all, userId, channelId)),
        );
      }
      db.close();
    }),
    { numRuns: 60 },
  );
});
