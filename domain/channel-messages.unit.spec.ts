import { describe, expect, it } from 'vitest';
import { SUPPRESS_EMBEDS } from '../schemas/events/channel.ts';
import { edit, evolveMessage, post, remove } from './channel.ts';
import { Permission } from './permissions.ts';
import { addReaction, MAX_REACTIONS, removeReaction } from './reactions.ts';
import {
  ANN,
  aChannel,
  anEdit,
  aPost,
  BEN,
  events,
  GUILD,
  guild,
  member,
  NOW,
  OWNER,
  only,
  refusal,
  STRANGER,
  types,
} from './testing.ts';

/** A channel with one message by Ann. */
const withMessage = (overwrites: Parameters<typeof aChannel>[0] = {}) => {
  const channel = aChannel(overwrites).given((state) => post(aPost('posted'), state), 'posted');
  return { channel, id: channel.headId };
};

describe('editing', () => {
  const { channel, id } = withMessage();
  const editing = (userId: string, more: object = {}) =>
    edit(anEdit('edit', channel.message(id), { ...member(userId), patch: { content: 'new' }, ...more }), channel.state);

  it('records the new text and the new mentions', () => {
    const event = only(editing(ANN, { patch: { content: `<@${BEN}> <@77>` } }));
    expect(event).toMatchObject({
      type: 'message-edited',
      data: { messageId: id, ordinal: 1, author: ANN, mentions: { users: [BEN], everyone: false } },
      secret: { by: ANN },
    });
  });

  it('changes what is given and leaves the rest', () => {
    const former = { content: `<@${BEN}>`, embeds: [{ title: 'a' }] };
    const mentions = { users: [BEN], everyone: false };
    const message = { ...channel.message(id)!, mentions, flags: 4 };
    const edited = (patch: object) => {
      const event = only(editing(ANN, { former, message, patch }));
      return { ...JSON.parse(event.secret!.text), ...(event.data as object) };
    };
    expect(edited({ embeds: [] })).toMatchObject({ content: former.content, embeds: [], mentions, flags: 4 });
    expect(edited({ embeds: null })).toMatchObject({ content: former.content, embeds: [], mentions, flags: 4 });
    expect(edited({ flags: 0 })).toMatchObject({ ...former, mentions, flags: 0 });
    expect(edited({ flags: null })).toMatchObject({ ...former, mentions, flags: 0 });
    const nobody = { users: [], everyone: false };
    expect(edited({ content: 'new' })).toMatchObject({ ...former, content: 'new', mentions: nobody, flags: 4 });
    for (const content of ['', null])
      expect(edited({ content })).toMatchObject({ ...former, content: '', mentions: nobody, flags: 4 });
    expect(refusal(editing(ANN, { former, message, patch: { content: null, embeds: null } }))).toBe('emptyMessage');
  });

  it('records nothing if the message is already as wanted', () => {
    const former = { content: `<@${BEN}>`, embeds: [{ title: 'a' }] };
    const message = { ...channel.message(id)!, mentions: { users: [BEN], everyone: false }, flags: 4 };
    for (const patch of [{}, former, { content: former.content }, { embeds: former.embeds }, { flags: 4 }])
      expect(events(editing(ANN, { former, message, patch }))).toEqual([]);
  });

  it('goes on telling the author of the message replied to, as before or as is said', () => {
    const reply = (users: string[], tells?: boolean) => {
      const message = { ...channel.message(id)!, mentions: { users, everyone: false } };
      return only(editing(ANN, { message, repliedTo: OWNER, tells, patch: { content: `<@${BEN}>` } })).data;
    };
    const mentioning = (...users: string[]) => ({ mentions: { users, everyone: false } });
    expect(reply([OWNER])).toMatchObject(mentioning(BEN, OWNER));
    expect(reply([])).toMatchObject(mentioning(BEN));
    expect(reply([OWNER], false)).toMatchObject(mentioning(BEN));
    expect(reply([], true)).toMatchObject(mentioning(BEN, OWNER));
  });

  it('is allowed on own messages only, even for the owner of the guild', () => {
    expect(refusal(editing(OWNER))).toBe('cannotEditOthers');
    expect(refusal(editing(BEN))).toBe('cannotEditOthers');
  });

  it('refuses an empty text, an unknown message, and a user who cannot see the channel', () => {
    for (const text of ['', ' ', '\u3164'])
      expect(refusal(editing(ANN, { patch: { content: text } }))).toBe('emptyMessage');
    expect(refusal(editing(ANN, { message: undefined }))).toBe('unknownMessage');
    expect(refusal(editing(ANN, { message: { ...channel.message(id), deleted: true } }))).toBe('unknownMessage');
    expect(refusal(editing(ANN, { member: undefined }))).toBe('unknownChannel');
  });

  it('happens once per key', () => {
    const { channel: other, id: of } = withMessage();
    const again = () => edit(anEdit('e', other.message(of), { patch: { content: 'new' } }), other.state);
    other.given(again, 'e');
    expect(events(again())).toEqual([]);
  });
});

describe('deleting', () => {
  const { channel, id } = withMessage();
  const deleting = (userId: string, more: object = {}) =>
    remove({ ...member(userId), key: 'delete', message: channel.message(id), ...more }, channel.state);

  it('is allowed to the author, and to whoever manages messages in the channel', () => {
    expect(types(deleting(ANN))).toEqual(['message-deleted']);
    expect(types(deleting(OWNER))).toEqual(['message-deleted']);
    expect(refusal(deleting(BEN))).toBe('missingPermissions');
    const moderated = withMessage({
      overwrites: [{ id: BEN, type: 1, allow: `${Permission.manageMessages}`, deny: '0' }],
    });
    const byBen = { ...member(BEN), key: 'd', message: moderated.channel.message(moderated.id) };
    expect(types(remove(byBen, moderated.channel.state))).toEqual(['message-deleted']);
  });

  it('refuses a deleted message, and tells an outsider nothing', () => {
    expect(refusal(deleting(ANN, { message: undefined }))).toBe('unknownMessage');
    expect(refusal(deleting(ANN, { message: { ...channel.message(id), deleted: true } }))).toBe('unknownMessage');
    expect(refusal(deleting(STRANGER, { member: undefined }))).toBe('unknownChannel');
  });
});

describe('reacting', () => {
  const emoji = '👍';
  const { channel, id } = withMessage();
  const reaction = (more: object = {}) => ({
    ...member(BEN),
    ...{ key: 'react', message: channel.message(id, BEN, emoji), emoji },
    ...more,
  });
  const message = channel.message(id)!;

  it('adds a new reaction and removes an existing one', () => {
    expect(only(addReaction(reaction(), channel.state))).toMatchObject({
      type: 'reaction-added',
      data: { messageId: id, ordinal: 1, author: ANN, userId: BEN, emoji },
    });
    const reacted = { ...message, reacted: true, reactions: new Map([[emoji, 1]]) };
    expect(events(addReaction(reaction({ message: reacted }), channel.state))).toEqual([]);
    expect(types(removeReaction(reaction({ message: reacted }), channel.state))).toEqual(['reaction-removed']);
    expect(events(removeReaction(reaction(), channel.state))).toEqual([]);
  });

  it('is limited to twenty emoji, but not to a hundred users', () => {
    const others = Array.from({ length: MAX_REACTIONS - 1 }, (_, i) => [`emoji ${i}`, 1] as const);
    const full = { ...message, reactions: new Map([...others, ['🎉', 1]]) };
    expect(refusal(addReaction(reaction({ message: full }), channel.state))).toBe('tooManyReactions');
    const joining = { ...message, reactions: new Map([...others, [emoji, 99]]) };
    expect(types(addReaction(reaction({ message: joining }), channel.state))).toEqual(['reaction-added']);
  });

  it('with an emoji already there needs no right to add new ones', () => {
    const quiet = withMessage({ overwrites: [{ id: GUILD, type: 0, allow: '0', deny: `${Permission.addReactions}` }] });
    expect(refusal(addReaction(reaction(), quiet.channel.state))).toBe('missingPermissions');
    const joining = reaction({ message: { ...message, reactions: new Map([[emoji, 1]]) } });
    expect(types(addReaction(joining, quiet.channel.state))).toEqual(['reaction-added']);
  });

  it('requires the right to read the message history', () => {
    const deny = `${Permission.readMessageHistory}`;
    const { state } = withMessage({ overwrites: [{ id: GUILD, type: 0, allow: '0', deny }] }).channel;
    expect(refusal(addReaction(reaction(), state))).toBe('missingPermissions');
    expect(refusal(removeReaction(reaction(), state))).toBe('missingPermissions');
  });

  it('refuses a deleted message, and tells an outsider nothing', () => {
    for (const decide of [addReaction, removeReaction]) {
      expect(refusal(decide(reaction({ message: undefined }), channel.state))).toBe('unknownMessage');
      expect(refusal(decide(reaction({ message: { ...message, deleted: true } }), channel.state))).toBe(
        'unknownMessage',
      );
      expect(refusal(decide(reaction({ guild, member: undefined }), channel.state))).toBe('unknownChannel');
    }
  });
});

describe('the facts of a message', () => {
  const { channel, id } = withMessage();
  const react = (userId: string, emoji: string) => {
    const message = channel.message(id, userId, emoji);
    channel.given((state) => addReaction({ ...member(userId), key: `${userId}${emoji}`, message, emoji }, state));
  };

  it('are updated by later events of the stream', () => {
    expect(channel.message(id)).toMatchObject({
      messageId: id,
      ordinal: 1,
      author: ANN,
      deleted: false,
      reactions: new Map(),
    });
    react(BEN, '👍');
    react(OWNER, '👍');
    expect(channel.message(id, BEN, '👍')).toMatchObject({ reacted: true, reactions: new Map([['👍', 2]]) });
    expect(channel.message(id, ANN, '👍')).toMatchObject({ reacted: false, reactions: new Map([['👍', 2]]) });
    const message = channel.message(id, BEN, '👍');
    channel.given((state) => removeReaction({ ...member(BEN), key: 'back', message, emoji: '👍' }, state));
    expect(channel.message(id, BEN, '👍')).toMatchObject({ reacted: false, reactions: new Map([['👍', 1]]) });
    channel.given((state) => remove({ ...member(ANN), key: 'gone', message: channel.message(id) }, state));
    expect(channel.message(id)?.deleted).toBe(true);
  });

  it('ignore events of other messages, and stay unknown for a message from elsewhere', () => {
    const facts = channel.message(id)!;
    const other = { type: 'message-deleted', data: { messageId: '9', ordinal: 2, author: ANN }, time: NOW };
    expect(evolveMessage(facts, other as never, { messageId: id })).toBe(facts);
    expect(evolveMessage(undefined, other as never, { messageId: '9' })).toBeUndefined();
  });
});

describe('suppressing the embeds of a message', () => {
  const asked = (userId: string, patch: Parameters<typeof anEdit>[2]) => {
    const channel = aChannel().given((state) => post(aPost('posted', { flags: 1 }), state), 'posted');
    const message = channel.message(channel.headId);
    return edit(anEdit('suppress', message, { ...member(userId), ...patch }), channel.state);
  };

  it("is a moderator's by the flag, and changes no other flag", () => {
    for (const flags of [SUPPRESS_EMBEDS, SUPPRESS_EMBEDS | 1])
      expect(only(asked(OWNER, { patch: { flags } }))).toMatchObject({
        type: 'embeds-suppressed',
        data: { author: ANN, flags: SUPPRESS_EMBEDS | 1, pinned: false },
      });
    expect(refusal(asked(OWNER, { patch: { flags: SUPPRESS_EMBEDS | 64 } }))).toBe('invalidForm');
    for (const flags of [0, 1, null]) expect(events(asked(OWNER, { patch: { flags } }))).toEqual([]);
  });

  it('is no way to change the text of others, and nobody else has it', () => {
    const patch = { flags: SUPPRESS_EMBEDS };
    expect(refusal(asked(OWNER, { patch: { ...patch, content: 'mine' } }))).toBe('cannotEditOthers');
    expect(refusal(asked(OWNER, { patch: {} }))).toBe('cannotEditOthers');
    expect(refusal(asked(BEN, { patch }))).toBe('missingPermissions');
  });
});
