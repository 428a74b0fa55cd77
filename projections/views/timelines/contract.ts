/** What every store of message timelines must do. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { NO_MENTIONS } from '../../../schemas/events/channel.ts';
import { messageId, Story } from '../../testing.ts';
import type { PageQuery, TimelineReader } from './view.ts';

export interface OpenTimelines {
  readonly reader: TimelineReader;
  apply(events: readonly ParleyEvent[]): Promise<void>;
  close(): Promise<void>;
}

const ANN = '10';
const BOB = '11';

/** @param open may return the same store again: every test has its own channels */
export const timelineContract = (name: string, open: () => Promise<OpenTimelines>) =>
  describe(`timelines on ${name}`, () => {
    let channels = 30;
    let channel: string;
    let other: string;
    let timelines: OpenTimelines;
    let story: Story;
    let applied: number;

    beforeEach(async () => {
      timelines = await open();
      story = new Story();
      applied = 0;
      channel = String(channels);
      other = String(channels + 1);
      channels += 2;
    });
    afterEach(() => timelines.close());

    const project = async () => {
      await timelines.apply(story.since(applied));
      applied = await story.log.head();
    };
    const posted = async (count: number, channelId = channel) => {
      for (let n = 0; n < count; n += 1) story.post(channelId, ANN);
      await project();
    };
    const ordinals = async (query: PageQuery) =>
      (await timelines.reader.page(channel, query, ANN)).map((row) => row.ordinal);
    const row = async (ordinal: number, viewer = ANN) =>
      (await timelines.reader.message(channel, messageId(channel, ordinal), viewer))!;

    it('returns a message as it was posted', async () => {
      const event = story.post(channel, ANN, {
        mentions: { users: [BOB], everyone: true },
        replyTo: messageId(channel, 7),
        nonce: '12',
      });
      await project();
      expect(await row(1)).toEqual({
        channelId: channel,
        id: event.data.messageId,
        ordinal: 1,
        sequence: event.sequence,
        position: event.position,
        author: ANN,
        time: event.time,
        editedTime: null,
        replyTo: messageId(channel, 7),
        type: 19,
        mentions: { users: [BOB], everyone: true },
        flags: 0,
        nonce: '12',
        sealed: event.data.sealed,
        sealedIn: event.id,
        deleted: false,
        reactions: [],
      });
    });

    it('keeps ids beyond 2^53 to the last digit', async () => {
      const large = '300000000001';
      story.post(large, ANN);
      story.post(large, ANN);
      await project();
      const page = await timelines.reader.page(large, { limit: 10 }, ANN);
      expect(page.map((message) => message.id)).toEqual([messageId(large, 2), messageId(large, 1)]);
    });

    it('keeps a nonce as the number or text it was', async () => {
      const event = story.post(channel, ANN);
      Object.assign(event.data, { nonce: 12 });
      story.post(channel, ANN, { nonce: '12' });
      await project();
      expect((await row(1)).nonce).toBe(12);
      expect((await row(2)).nonce).toBe('12');
    });

    it('pages newest first', async () => {
      await posted(5);
      await posted(2, other);
      expect(await ordinals({ limit: 3 })).toEqual([5, 4, 3]);
    });

    it('pages before and after a message, without that message', async () => {
      await posted(9);
      expect(await ordinals({ before: messageId(channel, 4), limit: 2 })).toEqual([3, 2]);
      expect(await ordinals({ after: messageId(channel, 4), limit: 2 })).toEqual([6, 5]);
    });

    it('pages around a message, with that message in the middle', async () => {
      await posted(9);
      expect(await ordinals({ around: messageId(channel, 5), limit: 5 })).toEqual([7, 6, 5, 4, 3]);
      expect(await ordinals({ around: messageId(channel, 1), limit: 4 })).toEqual([2, 1]);
    });

    it('goes on after a message that was deleted since', async () => {
      await posted(5);
      story.remove(channel, 3, ANN);
      await project();
      expect(await ordinals({ before: messageId(channel, 3), limit: 2 })).toEqual([2, 1]);
      expect(await ordinals({ after: messageId(channel, 3), limit: 2 })).toEqual([5, 4]);
      expect(await ordinals({ around: messageId(channel, 3), limit: 2 })).toEqual([4, 2]);
    });

    it('pages by an id that no message has', async () => {
      await posted(3);
      expect(await ordinals({ before: '9223372036854775807', limit: 2 })).toEqual([3, 2]);
      expect(await ordinals({ before: '9999999999999999999', limit: 2 })).toEqual([3, 2]);
      expect(await ordinals({ after: '0', limit: 2 })).toEqual([2, 1]);
    });

    it('returns nothing for a channel or message that does not exist', async () => {
      await posted(1);
      expect(await timelines.reader.page('404', { limit: 50 }, ANN)).toEqual([]);
      expect(await timelines.reader.message(channel, '404', ANN)).toBeUndefined();
      expect(await timelines.reader.message(other, messageId(channel, 1), ANN)).toBeUndefined();
    });

    it('does not confuse an id with leading zeros with the one without', async () => {
      await posted(1);
      expect(await timelines.reader.message(channel, `0${messageId(channel, 1)}`, ANN)).toBeUndefined();
      expect(await timelines.reader.page(`0${channel}`, { limit: 50 }, ANN)).toEqual([]);
    });

    it('shows the newest text and the time of the edit', async () => {
      story.post(channel, ANN);
      const edit = story.edit(channel, 1, ANN, { users: [BOB], everyone: false });
      await project();
      const { sealed, sealedIn, editedTime, mentions, sequence } = await row(1);
      expect({ sealed, sealedIn, editedTime, mentions, sequence }).toEqual({
        sealed: edit.data.sealed,
        sealedIn: edit.id,
        editedTime: edit.time,
        mentions: { users: [BOB], everyone: false },
        sequence: 1,
      });
    });

    it('keeps the flags that the last edit set, and those of an edit that sets none', async () => {
      story.post(channel, ANN);
      story.edit(channel, 1, ANN, NO_MENTIONS, 4);
      story.edit(channel, 1, ANN, NO_MENTIONS, null);
      await project();
      const { flags, sealedIn } = await row(1);
      expect({ flags, sealedIn }).toEqual({ flags: 4, sealedIn: 'event-3' });
      expect((await timelines.reader.facts(channel, messageId(channel, 1))).facts).toMatchObject({ flags, sealedIn });
      story.edit(channel, 1, ANN, NO_MENTIONS, 0);
      await project();
      expect((await row(1)).flags).toBe(0);
    });

    it('keeps the text and the time of the edit where only the embeds are suppressed', async () => {
      story.post(channel, ANN);
      story.suppressEmbeds(channel, 1, 4);
      await project();
      expect(await row(1)).toMatchObject({ flags: 4, editedTime: null, sealedIn: 'event-1' });
      story.suppressEmbeds(channel, 1, 0);
      await project();
      expect((await row(1)).flags).toBe(0);
    });

    it('drops the text of a deleted message, leaves it out of pages and keeps its ordinal', async () => {
      await posted(3);
      story.remove(channel, 2, ANN);
      await project();
      expect(await ordinals({ limit: 10 })).toEqual([3, 1]);
      expect(await row(2)).toMatchObject({ ordinal: 2, author: ANN, deleted: true, sealed: null });
      const ids = [1, 2, 3].map((ordinal) => messageId(channel, ordinal));
      expect(await timelines.reader.deletedAmong(channel, ids)).toEqual(new Set([ids[1]]));
    });

    it('drops the texts and reactions of messages deleted at once', async () => {
      await posted(4);
      story.react(channel, 1, BOB, '👍');
      story.removeAll(channel, [1, 3], ANN);
      await project();
      expect(await ordinals({ limit: 10 })).toEqual([4, 2]);
      expect(await row(1)).toMatchObject({ deleted: true, sealed: null, reactions: [] });
      const ids = [1, 2, 3, 4].map((ordinal) => messageId(channel, ordinal));
      const deletedAmong = (...ordinals: number[]) =>
        timelines.reader.deletedAmong(
          channel,
          ordinals.map((ordinal) => ids[ordinal - 1]!),
        );
      expect(await deletedAmong(1, 2, 3, 4)).toEqual(new Set([ids[0], ids[2]]));
      expect(await deletedAmong(4, 1, 2)).toEqual(new Set([ids[0]]));
      expect(await deletedAmong(4, 2)).toEqual(new Set());
      expect(await deletedAmong()).toEqual(new Set());
      expect((await timelines.reader.facts(channel, ids[2]!)).facts).toMatchObject({ deleted: true, sealed: null });
    });

    it('counts reactions in order of first use and marks the reader’s own', async () => {
      await posted(1);
      story.react(channel, 1, BOB, '👍');
      story.react(channel, 1, ANN, '🎉');
      story.react(channel, 1, ANN, '👍');
      await project();
      expect((await row(1, BOB)).reactions).toEqual([
        { emoji: '👍', count: 2, me: true },
        { emoji: '🎉', count: 1, me: false },
      ]);
    });

    it('drops an emoji with its last reaction', async () => {
      await posted(1);
      story.react(channel, 1, BOB, '👍');
      story.react(channel, 1, ANN, '👍');
      story.unreact(channel, 1, BOB, '👍');
      await project();
      expect((await row(1, BOB)).reactions).toEqual([{ emoji: '👍', count: 1, me: false }]);
      story.unreact(channel, 1, ANN, '👍');
      await project();
      expect((await row(1)).reactions).toEqual([]);
    });

    it('takes all reactions with one emoji back, and counts those after that', async () => {
      await posted(2);
      for (const user of [ANN, BOB, '12']) story.react(channel, 1, user, '👍');
      story.react(channel, 1, BOB, '🎉');
      story.react(channel, 2, BOB, '👍');
      story.clear(channel, 1, '👍');
      await project();
      expect((await row(1, BOB)).reactions).toEqual([{ emoji: '🎉', count: 1, me: true }]);
      expect((await row(2)).reactions).toHaveLength(1);
      const facts = () => timelines.reader.facts(channel, messageId(channel, 1), { userId: BOB, emoji: '👍' });
      expect((await facts()).facts).toMatchObject({ reactions: new Map([['🎉', 1]]), reacted: false });
      story.react(channel, 1, BOB, '👍');
      await project();
      expect(new Set((await row(1, BOB)).reactions)).toEqual(
        new Set([
          { emoji: '🎉', count: 1, me: true },
          { emoji: '👍', count: 1, me: true },
        ]),
      );
      expect((await facts()).facts).toMatchObject({ reacted: true });
      expect(await timelines.reader.reactors(channel, messageId(channel, 1), '👍', { limit: 10 })).toEqual([BOB]);
    });

    it('takes all reactions to a message back, and counts those after that', async () => {
      await posted(2);
      for (const emoji of ['👍', '🎉']) story.react(channel, 1, BOB, emoji);
      story.react(channel, 2, BOB, '👍');
      story.clear(channel, 1, '👍');
      story.clear(channel, 1, null);
      await project();
      expect((await row(1)).reactions).toEqual([]);
      expect((await row(2)).reactions).toHaveLength(1);
      expect((await timelines.reader.facts(channel, messageId(channel, 1))).through).toBe(7);
      story.react(channel, 1, ANN, '👍');
      await project();
      expect((await row(1, ANN)).reactions).toEqual([{ emoji: '👍', count: 1, me: true }]);
    });

    it('lists who reacted, by id, page by page, also after somebody who took the reaction back', async () => {
      await posted(1);
      for (const user of ['15', '9', '14', '13', '100']) story.react(channel, 1, user, '👍');
      await project();
      const reactors = (query: { after?: string; limit: number }) =>
        timelines.reader.reactors(channel, messageId(channel, 1), '👍', query);
      expect(await reactors({ limit: 3 })).toEqual(['9', '13', '14']);
      story.unreact(channel, 1, '14', '👍');
      await project();
      expect(await reactors({ after: '14', limit: 3 })).toEqual(['15', '100']);
      expect(await reactors({ after: '11', limit: 3 })).toEqual(['13', '15', '100']);
      expect(await reactors({ after: '9999999999999999999', limit: 3 })).toEqual([]);
    });

    it('drops the reactions of a deleted message', async () => {
      await posted(1);
      story.react(channel, 1, BOB, '👍');
      story.remove(channel, 1, ANN);
      await project();
      expect((await row(1)).reactions).toEqual([]);
      expect(await timelines.reader.reactors(channel, messageId(channel, 1), '👍', { limit: 10 })).toEqual([]);
    });

    it('returns the facts of a message with the sequence they include', async () => {
      await posted(2);
      story.react(channel, 1, BOB, '👍');
      story.react(channel, 1, ANN, '🎉');
      await project();
      const facts = (ordinal: number, userId: string, emoji: string) =>
        timelines.reader.facts(channel, messageId(channel, ordinal), { userId, emoji });
      expect(await facts(1, ANN, '👍')).toEqual({
        through: 4,
        facts: {
          messageId: messageId(channel, 1),
          ordinal: 1,
          author: ANN,
          type: 0,
          replyTo: null,
          mentions: { users: [], everyone: false },
          flags: 0,
          sealed: { by: ANN, box: `message 1 in ${channel}` },
          sealedIn: 'event-1',
          deleted: false,
          reactions: new Map([
            ['👍', 1],
            ['🎉', 1],
          ]),
          reacted: false,
        },
      });
      expect((await facts(1, BOB, '👍')).facts).toMatchObject({ reacted: true });
      expect((await facts(2, BOB, '👍')).facts).toMatchObject({ reactions: new Map(), reacted: false });
      expect(await facts(3, BOB, '👍')).toEqual({ through: 4, facts: undefined });
      expect(await timelines.reader.facts('404', '1')).toEqual({ through: 0, facts: undefined });
    });

    it('finds several messages at once and leaves out unknown ones', async () => {
      await posted(3);
      const ids = [messageId(channel, 3), '404', messageId(channel, 1)];
      const found = await timelines.reader.messages(channel, ids, ANN);
      expect(found.map((message) => message.ordinal).sort()).toEqual([1, 3]);
    });

    it('stores a batch whose events depend on each other', async () => {
      story.post(channel, ANN);
      story.react(channel, 1, BOB, '👍');
      story.edit(channel, 1, ANN);
      story.post(other, BOB);
      story.post(channel, BOB);
      story.remove(channel, 2, BOB);
      await project();
      expect(await row(1)).toMatchObject({ sequence: 1, sealedIn: 'event-3' });
      expect((await row(2)).deleted).toBe(true);
      expect((await timelines.reader.facts(channel, '1')).through).toBe(5);
    });
  });
