import { describe, expect, it } from 'vitest';
import { post } from './channel.ts';
import { addReaction, clearReactions, removeReactionOf } from './reactions.ts';
import {
  ANN,
  aChannel,
  aDirectChannel,
  aPost,
  BEN,
  events,
  member,
  OWNER,
  only,
  refusal,
  STRANGER,
  types,
} from './testing.ts';

/** Ben reacted with a thumb and a heart, Ann with a thumb. */
const reactedTo = (channel = aChannel()) => {
  const guild = channel.state.settings?.guildId === null ? { guild: undefined } : {};
  channel.given((state) => post(aPost('posted', guild), state), 'posted');
  const id = channel.headId;
  for (const [userId, emoji] of [
    [BEN, '👍'],
    [ANN, '👍'],
    [BEN, '❤️'],
  ] as const)
    channel.given((state) => {
      const message = channel.message(id, userId, emoji);
      return addReaction({ ...member(userId), ...guild, key: `${userId} ${emoji}`, message, emoji }, state);
    });
  const asks = (userId: string, key = 'clear') => ({ ...member(userId), ...guild, key, message: channel.message(id) });
  const asksOf = (userId: string, of: string, emoji = '👍') => ({
    ...{ ...asks(userId), emoji, of },
    message: channel.message(id, of, emoji),
  });
  return { channel, id, asks, asksOf };
};

describe('a moderator', () => {
  it("takes somebody else's reaction back", () => {
    const { channel, id, asksOf } = reactedTo();
    const removed = only(removeReactionOf(asksOf(OWNER, BEN), channel.state));
    expect(removed).toMatchObject({ type: 'reaction-removed', data: { messageId: id, userId: BEN, emoji: '👍' } });
    channel.record([removed]);
    expect(channel.message(id, BEN, '👍')).toMatchObject({
      reacted: false,
      reactions: new Map([
        ['👍', 1],
        ['❤️', 1],
      ]),
    });
    expect(types(removeReactionOf(asksOf(OWNER, BEN), channel.state))).toEqual([]);
  });

  it('takes all reactions with one emoji back', () => {
    const { channel, id, asks } = reactedTo();
    const cleared = only(clearReactions({ ...asks(OWNER), emoji: '👍' }, channel.state));
    expect(cleared).toEqual({
      type: 'reactions-cleared',
      data: { messageId: id, ordinal: 1, author: ANN, emoji: '👍' },
    });
    channel.record([cleared]);
    expect(channel.message(id, BEN, '👍')).toMatchObject({ reacted: false, reactions: new Map([['❤️', 1]]) });
    expect(channel.message(id, BEN, '❤️')).toMatchObject({ reacted: true });
    expect(types(clearReactions({ ...asks(OWNER), emoji: '👍' }, channel.state))).toEqual([]);
  });

  it('takes all reactions back', () => {
    const { channel, id, asks } = reactedTo();
    channel.record(events(clearReactions({ ...asks(OWNER), emoji: null }, channel.state)));
    expect(channel.message(id, BEN, '❤️')).toMatchObject({ reacted: false, reactions: new Map() });
    expect(types(clearReactions({ ...asks(OWNER), emoji: null }, channel.state))).toEqual([]);
  });

  it('is whoever has MANAGE_MESSAGES, and in a direct channel nobody', () => {
    const { channel, asks, asksOf } = reactedTo();
    expect(refusal(clearReactions({ ...asks(ANN), emoji: null }, channel.state))).toBe('missingPermissions');
    expect(refusal(removeReactionOf(asksOf(ANN, BEN), channel.state))).toBe('missingPermissions');
    expect(types(removeReactionOf(asksOf(ANN, ANN), channel.state))).toEqual(['reaction-removed']);
    const outside = { member: undefined };
    expect(refusal(clearReactions({ ...asks(STRANGER), ...outside, emoji: null }, channel.state))).toBe(
      'unknownChannel',
    );
    const direct = reactedTo(aDirectChannel(ANN, BEN));
    expect(refusal(removeReactionOf(direct.asksOf(ANN, BEN), direct.channel.state))).toBe('dmExecute');
    expect(refusal(clearReactions({ ...direct.asks(ANN), emoji: '👍' }, direct.channel.state))).toBe('dmExecute');
  });
});
