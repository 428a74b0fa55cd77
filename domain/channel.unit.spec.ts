import { describe, expect, it } from 'vitest';
import { PLAIN } from '../schemas/events/channel.ts';
import { createChannel, post } from './channel.ts';
import { DEFAULT_EVERYONE, Permission } from './permissions.ts';
import {
  ANN,
  aChannel,
  aDirectChannel,
  aPost,
  BEN,
  CHANNEL,
  events,
  GUILD,
  guild,
  member,
  NOW,
  OWNER,
  only,
  refusal,
  STRANGER,
  said,
} from './testing.ts';

const withPost = (...keys: string[]) => {
  const channel = aChannel();
  for (const key of keys) channel.given((state) => post(aPost(key), state), key);
  return channel;
};

const posted = (decision: ReturnType<typeof post>) => {
  const event = only(decision);
  if (event.type !== 'message-posted') throw new Error(`expected a message, not ${event.type}`);
  return event;
};

describe('creating a channel', () => {
  it('happens once', () => {
    const data = { channelId: CHANNEL, kind: 'text', guildId: GUILD, name: 'other', topic: null, ...PLAIN } as const;
    const again = createChannel(
      { key: 'another', channel: { ...data, overwrites: [], participants: [] } },
      aChannel().state,
    );
    expect(events(again)).toEqual([]);
  });
});

describe('posting', () => {
  it('numbers messages from 1, whatever else happens in the channel', () => {
    const channel = withPost('a', 'b');
    expect(channel.state.ordinal).toBe(2);
    expect(posted(post(aPost('c'), channel.state)).data.ordinal).toBe(3);
  });

  it('keeps typed text as a secret of its author, out of the data', () => {
    const event = posted(post(aPost('a', { body: said('secret words') }), aChannel().state));
    expect(event.secret).toEqual({ by: ANN, text: JSON.stringify(said('secret words')) });
    expect(JSON.stringify(event.data)).not.toContain('secret words');
  });

  it('keeps flags and nonce, and the original time of an imported message', () => {
    const event = posted(post(aPost('a', { flags: 4, nonce: 7, time: 1_100_000_000_000 }), aChannel().state));
    expect(event.data).toMatchObject({ flags: 4, nonce: 7 });
    expect(event.time).toBe(1_100_000_000_000);
    expect(posted(post(aPost('a'), aChannel().state))).not.toHaveProperty('time');
  });

  it('gives a higher id than the last even when the clock went back', () => {
    const channel = withPost('a');
    const event = posted(post(aPost('b', { now: NOW - 60_000 }), channel.state));
    expect(BigInt(event.data.messageId)).toBeGreaterThan(BigInt(channel.headId));
  });

  it('does nothing for a remembered key, even with other content', () => {
    const channel = withPost('a');
    expect(events(post(aPost('a', { body: said('other') }), channel.state))).toEqual([]);
    expect(events(post(aPost('a', { body: said('') }), channel.state))).toEqual([]);
  });

  it('accepts a known key even when the message replied to is gone', () => {
    const channel = withPost('a');
    expect(events(post(aPost('a', { reply: { message: undefined, mention: true } }), channel.state))).toEqual([]);
  });

  it('accepts embeds without text, and refuses a message with neither', () => {
    const { state } = aChannel();
    expect(refusal(post(aPost('a', { body: { content: '', embeds: [{ title: 'x' }] } }), state))).toBeUndefined();
    expect(refusal(post(aPost('a', { body: said('') }), state))).toBe('emptyMessage');
  });

  it.each([' ', '\n\t', '\u3164', '\u200b\u2800', '\ufe0f'])('refuses a text of which nothing is seen: %j', (text) => {
    const { state } = aChannel();
    expect(refusal(post(aPost('a', { body: said(text) }), state))).toBe('emptyMessage');
    expect(refusal(post(aPost('a', { body: { content: text, embeds: [{ title: 'x' }] } }), state))).toBeUndefined();
    expect(refusal(post(aPost('a', { body: said(text), time: 1 }), state))).toBeUndefined();
  });

  it('refuses a user who may see but not send', () => {
    const muted = aChannel({ overwrites: [{ id: ANN, type: 1, allow: '0', deny: `${Permission.sendMessages}` }] });
    expect(refusal(post(aPost('a'), muted.state))).toBe('missingPermissions');
    expect(refusal(post(aPost('a', member(BEN)), muted.state))).toBeUndefined();
  });

  it('first tells a user who cannot see the channel that it does not exist', () => {
    const hidden = aChannel({ overwrites: [{ id: GUILD, type: 0, allow: '0', deny: `${Permission.viewChannel}` }] });
    expect(refusal(post(aPost('a', { body: said('') }), hidden.state))).toBe('unknownChannel');
    const outside = { userId: STRANGER, guild, member: undefined };
    expect(refusal(post(aPost('a', outside), aChannel().state))).toBe('unknownChannel');
    expect(refusal(post(aPost('a', { ...member(OWNER) }), hidden.state))).toBeUndefined();
  });

  it('reveals nothing about a known key to a user who can no longer see the channel', () => {
    const channel = withPost('a');
    expect(refusal(post(aPost('a', { member: undefined }), channel.state))).toBe('unknownChannel');
  });

  it('refuses a channel that was never created', () => {
    expect(refusal(post(aPost('a'), aChannel().fold.initial()))).toBe('unknownChannel');
  });

  it('is allowed to the two participants only in a direct channel', () => {
    const { state } = aDirectChannel(ANN, BEN);
    const inIt = (userId: string) => post(aPost('a', { userId, guild: undefined, member: undefined }), state);
    expect([ANN, BEN, STRANGER].map((userId) => refusal(inIt(userId)))).toEqual([
      undefined,
      undefined,
      'unknownChannel',
    ]);
  });
});

describe('mentions of a message', () => {
  const mentions = (more: Parameters<typeof aPost>[1]) =>
    posted(post(aPost('a', more), aChannel().state)).data.mentions;

  it('are the users it mentions who exist', () => {
    expect(mentions({ body: said(`<@${BEN}> <@!${OWNER}> <@999>`) })).toEqual({ users: [BEN, OWNER], everyone: false });
  });

  it('include everyone if the author may mention everyone', () => {
    expect(mentions({ body: said('@everyone') }).everyone).toBe(true);
    expect(mentions({ body: said('@here') }).everyone).toBe(true);
    const everyone = (DEFAULT_EVERYONE & ~Permission.mentionEveryone).toString();
    expect(mentions({ body: said('@everyone'), guild: { ...guild, everyone } }).everyone).toBe(false);
  });

  it('include the author of the message replied to, once, if they are to be notified', () => {
    const channel = withPost('a');
    const message = channel.message(channel.headId);
    const reply = (mention: boolean, content = 'yes') =>
      posted(post(aPost('b', { ...member(BEN), body: said(content), reply: { message, mention } }), channel.state));
    expect(reply(true).data).toMatchObject({ replyTo: message!.messageId, mentions: { users: [ANN] } });
    expect(reply(true, `<@${ANN}>`).data.mentions.users).toEqual([ANN]);
    expect(reply(false).data.mentions.users).toEqual([]);
  });

  it('is asked for by whoever may read the message history, whatever there is', () => {
    const deny = `${Permission.readMessageHistory}`;
    const channel = aChannel({ overwrites: [{ id: GUILD, type: 0, allow: '0', deny }] });
    channel.given((state) => post(aPost('a'), state), 'a');
    for (const message of [channel.message(channel.headId), undefined]) {
      const replying = post(aPost('b', { reply: { message, mention: true } }), channel.state);
      expect(refusal(replying)).toBe('replyWithoutHistory');
    }
  });

  it('cannot be a message that is not there', () => {
    const channel = withPost('a');
    const message = { ...channel.message(channel.headId)!, deleted: true };
    for (const gone of [undefined, message]) {
      const replying = post(aPost('b', { reply: { message: gone, mention: true } }), channel.state);
      expect(refusal(replying)).toBe('unknownMessage');
    }
  });
});

it('a channel whose last id is beyond 63 bits, as former versions stored them, goes on from the last good one', () => {
  const channel = withPost('a');
  const far = posted(post(aPost('b'), channel.state));
  const good = BigInt(far.data.messageId);
  channel.record([{ ...far, data: { ...far.data, messageId: '25083674620723200000' } }], 'b');
  const next = BigInt(posted(post(aPost('c'), channel.state)).data.messageId);
  expect(next).toBeGreaterThanOrEqual(good);
  expect(next).toBeLessThan(2n ** 63n);
});
