/** What every store of heads, read markers and mentions must do. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { type Mentions, NO_MENTIONS } from '../../../schemas/events/channel.ts';
import { messageId, Story } from '../../testing.ts';
import type { UnreadRows } from './view.ts';

export interface OpenUnread {
  readonly rows: UnreadRows;
  apply(events: readonly ParleyEvent[]): Promise<void>;
  close(): Promise<void>;
}

const CHANNEL = '30';
const ANN = '10';
const BOB = '11';
const EVERYONE = { users: [], everyone: true };

export const unreadContract = (name: string, open: () => Promise<OpenUnread>) =>
  describe(`unread on ${name}`, () => {
    let unread: OpenUnread;
    let story: Story;
    let applied: number;

    beforeEach(async () => {
      unread = await open();
      story = new Story();
      applied = 0;
    });
    afterEach(() => unread.close());

    const project = async () => {
      await unread.apply(story.since(applied));
      applied = await story.log.head();
    };
    const state = async (userId: string, floor = 0) => {
      await project();
      return (await unread.rows.states(userId, [{ channelId: CHANNEL, floor }]))[0]!;
    };
    const posted = (count: number, mentions: Mentions = NO_MENTIONS) => {
      for (let n = 0; n < count; n += 1) story.post(CHANNEL, ANN, { mentions });
    };

    it('moves the head with every event of the channel, and its message with every message', async () => {
      expect(await unread.rows.head(CHANNEL)).toEqual({
        channelId: CHANNEL,
        ordinal: 0,
        messageId: null,
        sequence: 0,
        position: 0,
      });
      story.channel(CHANNEL, '20');
      posted(2);
      await project();
      const reaction = story.react(CHANNEL, 1, BOB, '👍');
      await project();
      expect(await unread.rows.head(CHANNEL)).toEqual({
        channelId: CHANNEL,
        ordinal: 2,
        messageId: messageId(CHANNEL, 2),
        sequence: 4,
        position: reaction.position,
      });
    });

    it('returns the heads of many channels, including those without events', async () => {
      posted(3);
      story.post('31', BOB);
      await project();
      const heads = await unread.rows.heads([CHANNEL, '31', '404']);
      expect([...heads].map(([id, head]) => [id, head.ordinal])).toEqual([
        [CHANNEL, 3],
        ['31', 1],
        ['404', 0],
      ]);
    });

    it('counts messages beyond the marker, including deleted ones', async () => {
      posted(5);
      story.read(BOB, { [CHANNEL]: 2 });
      story.remove(CHANNEL, 4, ANN);
      expect(await state(BOB)).toEqual({
        channelId: CHANNEL,
        readOrdinal: 2,
        unread: 3,
        mentions: 0,
        lastMessageId: messageId(CHANNEL, 5),
      });
    });

    it('counts from the floor if there is no marker, and never below zero', async () => {
      posted(5);
      expect(await state(BOB, 3)).toMatchObject({ readOrdinal: 3, unread: 2 });
      expect(await state(BOB, 9)).toMatchObject({ readOrdinal: 5, unread: 0 });
      expect(await unread.rows.unmarked(BOB, [CHANNEL, '31'])).toEqual([CHANNEL, '31']);
      story.read(BOB, { [CHANNEL]: 1 });
      expect(await state(BOB, 3)).toMatchObject({ readOrdinal: 1, unread: 4 });
      expect(await unread.rows.unmarked(BOB, [CHANNEL, '31'])).toEqual(['31']);
    });

    it('never moves a marker back', async () => {
      posted(5);
      story.read(BOB, { [CHANNEL]: 4 });
      story.read(BOB, { [CHANNEL]: 2 });
      expect(await state(BOB)).toMatchObject({ readOrdinal: 4 });
    });

    it('moves a marker back where the user marks the channel as unread, and what they said before that counts no more', async () => {
      posted(3, { users: [BOB], everyone: false });
      story.post(CHANNEL, BOB);
      posted(1);
      story.markUnread(BOB, CHANNEL, 2, 5);
      expect(await state(BOB)).toMatchObject({ readOrdinal: 2, unread: 3, mentions: 1 });
      story.read(BOB, { [CHANNEL]: 3 });
      posted(1);
      expect(await state(BOB)).toMatchObject({ readOrdinal: 3, unread: 3 });
      story.post(CHANNEL, BOB);
      posted(1);
      expect(await state(BOB)).toMatchObject({ readOrdinal: 7, unread: 1 });
      // Every thousandth event says all markers again.
      story.markUnread(BOB, CHANNEL, 3, 5, true);
      expect(await state(BOB)).toMatchObject({ readOrdinal: 7, unread: 1 });
      story.markUnread(BOB, CHANNEL, 0, 8);
      expect(await state(BOB)).toMatchObject({ readOrdinal: 0, unread: 8 });
    });

    it('clamps a marker to the head at its own event, however the events are split into batches', async () => {
      posted(2);
      story.read(BOB, { [CHANNEL]: 100 });
      posted(3);
      expect(await state(BOB)).toMatchObject({ readOrdinal: 2, unread: 3 });
      story.read('12', { [CHANNEL]: 100 });
      await project();
      posted(1);
      expect(await state('12')).toMatchObject({ readOrdinal: 5, unread: 1 });
    });

    it('counts the user’s own messages as read', async () => {
      posted(3);
      story.post(CHANNEL, BOB);
      posted(1);
      expect(await state(BOB)).toMatchObject({ readOrdinal: 4, unread: 1 });
      expect(await state(ANN)).toMatchObject({ readOrdinal: 5, unread: 0 });
    });

    it('counts messages that mention the user or everyone, each once', async () => {
      posted(1, { users: [BOB], everyone: false });
      posted(1, EVERYONE);
      posted(1, { users: [BOB, BOB, '12'], everyone: true });
      posted(1, { users: ['12'], everyone: false });
      expect(await state(BOB)).toMatchObject({ unread: 4, mentions: 3 });
      expect(await state('13')).toMatchObject({ unread: 4, mentions: 2 });
      story.read(BOB, { [CHANNEL]: 2 });
      expect(await state(BOB)).toMatchObject({ unread: 2, mentions: 1 });
    });

    it('drops the mentions that an edit takes away, adds none, and drops those of a deleted message', async () => {
      posted(3, { users: [BOB, '13'], everyone: false });
      story.edit(CHANNEL, 1, ANN, { users: ['12', '13'], everyone: false });
      expect(await state(BOB)).toMatchObject({ mentions: 2 });
      expect(await state('12')).toMatchObject({ mentions: 0 });
      story.remove(CHANNEL, 2, ANN);
      story.edit(CHANNEL, 1, ANN, EVERYONE);
      expect(await state(BOB)).toMatchObject({ mentions: 1 });
      expect(await state('12')).toMatchObject({ mentions: 0 });
      expect(await state('13')).toMatchObject({ mentions: 2 });
      story.edit(CHANNEL, 3, ANN);
      expect(await state('13')).toMatchObject({ mentions: 1 });
    });

    it('keeps of everyone those whom an edit still mentions', async () => {
      posted(1, EVERYONE);
      story.edit(CHANNEL, 1, ANN, { users: [BOB], everyone: false });
      expect(await state(BOB)).toMatchObject({ mentions: 1 });
      expect(await state('12')).toMatchObject({ mentions: 0 });
    });

    it('counts messages that mention a role for those who have it, each once', async () => {
      const [wanted, other] = ['41', '42'];
      posted(1, { users: [BOB], roles: [wanted, other], everyone: false });
      posted(1, { users: [], roles: [wanted], everyone: false });
      posted(1, { users: [], roles: [other], everyone: true });
      await project();
      const mentions = async (userId: string, ...roles: string[]) =>
        (await unread.rows.states(userId, [{ channelId: CHANNEL, floor: 0, roles }]))[0]!.mentions;
      expect(await mentions('12')).toBe(1);
      expect(await mentions('12', wanted)).toBe(3);
      expect(await mentions('12', other)).toBe(2);
      expect(await mentions(BOB, wanted, other)).toBe(3);
      expect(await mentions(BOB, '43')).toBe(2);
      story.read('12', { [CHANNEL]: 1 });
      story.edit(CHANNEL, 2, ANN, { users: [], roles: [other], everyone: false });
      await project();
      expect(await mentions('12', wanted, other)).toBe(1);
    });

    it('drops the mentions of messages deleted at once', async () => {
      posted(3, { users: [BOB], everyone: false });
      story.removeAll(CHANNEL, [1, 3], ANN);
      expect(await state(BOB)).toMatchObject({ unread: 3, mentions: 1 });
    });

    it('keeps channels and users apart', async () => {
      posted(2, { users: [BOB], everyone: false });
      story.post('31', ANN, { mentions: EVERYONE });
      story.read(BOB, { '31': 1 });
      await project();
      expect(
        await unread.rows.states(BOB, [
          { channelId: '31', floor: 0 },
          { channelId: CHANNEL, floor: 0 },
        ]),
      ).toMatchObject([
        { channelId: '31', unread: 0, mentions: 0 },
        { channelId: CHANNEL, unread: 2, mentions: 2 },
      ]);
    });
  });
