/** Events of `channel-<id>`: the channel's settings and everything said in it. */
import * as t from 'io-ts';
import { Sealed } from '../envelope.ts';

/** A permission overwrite of a channel; `allow` and `deny` are bit sets as decimal strings. `type` 0 role, 1 member. */
export const Overwrite = t.type({
  id: t.string,
  type: t.union([t.literal(0), t.literal(1)]),
  allow: t.string,
  deny: t.string,
});
export type Overwrite = t.TypeOf<typeof Overwrite>;

export const Mentions = t.type({ users: t.array(t.string), everyone: t.boolean });
export type Mentions = t.TypeOf<typeof Mentions>;

export const ChannelCreated = t.type({
  channelId: t.string,
  kind: t.union([t.literal('text'), t.literal('dm')]),
  guildId: t.union([t.string, t.null]),
  name: t.union([t.string, t.null]),
  topic: t.union([t.string, t.null]),
  overwrites: t.array(Overwrite),
  /** The two people of a direct channel; empty in a guild. */
  participants: t.array(t.string),
});

export const MessagePosted = t.type({
  messageId: t.string,
  /** The n-th message of the channel: dense, from 1. */
  ordinal: t.number,
  author: t.string,
  /** Id of the message this one replies to. */
  replyTo: t.union([t.string, t.null]),
  mentions: Mentions,
  flags: t.number,
  nonce: t.union([t.string, t.number, t.null]),
  /** Opens to `MessageBody`. */
  sealed: Sealed,
});

export const MessageEdited = t.type({
  messageId: t.string,
  ordinal: t.number,
  author: t.string,
  mentions: Mentions,
  /** Opens to `MessageBody`. */
  sealed: Sealed,
});

export const MessageDeleted = t.type({ messageId: t.string, ordinal: t.number, author: t.string });

const Reaction = t.type({
  messageId: t.string,
  ordinal: t.number,
  /** Who wrote the message. */
  author: t.string,
  userId: t.string,
  /** A Unicode emoji. */
  emoji: t.string,
});
export const ReactionAdded = Reaction;
export const ReactionRemoved = Reaction;

/** What is inside the sealed part of a message. */
export const MessageBody = t.type({ content: t.string, embeds: t.array(t.UnknownRecord) });
export type MessageBody = t.TypeOf<typeof MessageBody>;
