/** Events of `channel-<id>`: the channel's settings and everything said in it. */
import * as t from 'io-ts';
import { canonicalEmoji } from '../emoji.ts';
import { type Recorded, Sealed } from '../envelope.ts';
import { Intent } from '../gateway/frames.ts';
import { type Audience, channelAudience, channelIdOf, guildAudience, userAudience } from '../streams.ts';
import { auditedInGuild, defineEvent, formerly, itsGuild, nobody, reasoned, unaudited } from './definition.ts';

/** A permission overwrite of a channel; `allow` and `deny` are bit sets as decimal strings. `type` 0 role, 1 member. */
export const Overwrite = t.type({
  id: t.string,
  type: t.union([t.literal(0), t.literal(1)]),
  allow: t.string,
  deny: t.string,
});
export type Overwrite = t.TypeOf<typeof Overwrite>;

const MentionsV1 = t.type({ users: t.array(t.string), everyone: t.boolean });

/** Roles only where there are any. */
export const Mentions = t.intersection([MentionsV1, t.partial({ roles: t.array(t.string) })]);
export type Mentions = t.TypeOf<typeof Mentions>;

export const NO_MENTIONS: Mentions = { users: [], everyone: false };

export const mentionsNobody = ({ users, everyone, roles = [] }: Mentions): boolean =>
  !everyone && users.length + roles.length === 0;

/** A message elsewhere, without anything that it says. */
export const Forwarded = t.type({
  channelId: t.string,
  messageId: t.string,
  /** Null: of a direct channel. */
  guildId: t.union([t.string, t.null]),
});
export type Forwarded = t.TypeOf<typeof Forwarded>;

/** What is inside the sealed part of a message. One that forwards another says nothing else. */
export const MessageBody = t.intersection([
  t.type({ content: t.string, embeds: t.array(t.UnknownRecord) }),
  t.partial({ forwarded: Forwarded }),
]);
export type MessageBody = t.TypeOf<typeof MessageBody>;

/** Flag of a message whose embeds are not shown. */
export const SUPPRESS_EMBEDS = 4;
/** Flag of a message that nobody's device makes a sound for. */
export const SUPPRESS_NOTIFICATIONS = 4096;

/** Flag of a message at which a thread begins. */
export const HAS_THREAD = 32;

/** Discord's numbers for types of messages. */
export const MessageType = {
  ...{ default: 0, recipientAdd: 1, recipientRemove: 2, channelNameChange: 4, channelPinnedMessage: 6, userJoin: 7 },
  ...{ threadCreated: 18, reply: 19, threadStarterMessage: 21 },
} as const;

/** Everyone who sees the channel whose stream holds the event. */
export const itsChannel = (event: Recorded): readonly Audience[] => [channelAudience(channelIdOf(event.stream)!)];

const created = {
  channelId: t.string,
  guildId: t.union([t.string, t.null]),
  name: t.union([t.string, t.null]),
  topic: t.union([t.string, t.null]),
  overwrites: t.array(Overwrite),
  /** The people of a direct channel, of whom the first owns a group; empty in a guild. */
  participants: t.array(t.string),
};

/** What a channel has beside its name and topic. */
const placed = {
  nsfw: t.boolean,
  /** Place in the guild's list, from 0; null: by order of creation. */
  position: t.union([t.number, t.null]),
  /** Id of its category. */
  parentId: t.union([t.string, t.null]),
  /** Seconds from one message of a person to their next; 0: none. */
  slowmode: t.number,
};
const Placed = t.type(placed);

/** Unless anything else is said. */
export const PLAIN: t.TypeOf<typeof Placed> = { nsfw: false, position: null, parentId: null, slowmode: 0 };

/** A category holds other channels and no messages. `dm` is of two people, a `group` of up to ten. */
export const ChannelKind = t.union([
  t.literal('text'),
  t.literal('announcement'),
  t.literal('category'),
  t.literal('dm'),
  t.literal('group'),
]);
export type ChannelKind = t.TypeOf<typeof ChannelKind>;

/** A thread begins by an event of its own. */
export type AnyKind = ChannelKind | 'thread';

/** A channel as it is created. */
export const Created = t.type({ ...created, kind: ChannelKind, ...placed });

const CreatedV1 = t.type({ ...created, kind: t.union([t.literal('text'), t.literal('dm')]) });

export const formerlyCreated = [formerly(CreatedV1, (data): t.TypeOf<typeof Created> => ({ ...data, ...PLAIN }))];

/** The guild's members, or the people of a direct channel. */
const whereItIs = ({ data }: { readonly data: t.TypeOf<typeof Created> }): readonly Audience[] =>
  data.guildId === null ? data.participants.map(userAudience) : [guildAudience(data.guildId)];

/** What GUILD_CREATE shows of a guild and its channels. */
export const structure = {
  former: [],
  feed: 'structure',
  intents: { guild: Intent.guilds, direct: Intent.none },
  standsAlone: false,
  inGuildCreate: true,
  changes: ['guild-views'],
  followedUp: false,
  frequent: false,
  auditedIn: unaudited,
  takesReason: false,
  seals: null,
} as const;

/** The views of what the audit log names, or needs to know later. */
export const LOGGED = ['guild-views', 'audit-log'] as const;

const ChannelCreated = defineEvent({
  ...structure,
  changes: LOGGED,
  codec: Created,
  former: formerlyCreated,
  audiences: whereItIs,
  indexedFor: whereItIs,
  changesRights: true,
});

const PostedV1 = t.type({
  messageId: t.string,
  ordinal: t.number,
  author: t.string,
  replyTo: t.union([t.string, t.null]),
  mentions: MentionsV1,
  flags: t.number,
  nonce: t.union([t.string, t.number, t.null]),
  sealed: Sealed,
});

const PostedV2 = t.type({ ...PostedV1.props, messageType: t.number });

/** Type of a message stored before messages carried their type. */
export const formerMessageType = (replyTo: string | null): number =>
  replyTo === null ? MessageType.default : MessageType.reply;

/** What every event of a message's text has in common. */
const spoken = {
  audiences: itsChannel,
  indexedFor: nobody,
  feed: 'channel',
  intents: { guild: Intent.guildMessages, direct: Intent.directMessages },
  changesRights: false,
  standsAlone: false,
  inGuildCreate: false,
  changes: ['timelines', 'unread'],
  followedUp: false,
  frequent: true,
  auditedIn: unaudited,
  takesReason: false,
} as const;

const MessagePosted = defineEvent({
  ...spoken,
  standsAlone: 'withoutReply',
  codec: t.type({
    messageId: t.string,
    /** Number of the message in its channel: 1, 2, 3 and so on without gaps. */
    ordinal: t.number,
    author: t.string,
    /** One of `MessageType`. */
    messageType: t.number,
    /** Id of the message this one replies to. */
    replyTo: t.union([t.string, t.null]),
    mentions: Mentions,
    flags: t.number,
    nonce: t.union([t.string, t.number, t.null]),
    sealed: Sealed,
  }),
  former: [
    formerly(PostedV1, ({ messageId, ordinal, author, replyTo, mentions, flags, nonce, sealed }) => ({
      messageId,
      ordinal,
      author,
      messageType: formerMessageType(replyTo),
      replyTo,
      mentions,
      flags,
      nonce,
      sealed,
    })),
    formerly(PostedV2, (data) => data),
  ],
  seals: MessageBody,
});

const EditedV1 = t.type({
  messageId: t.string,
  ordinal: t.number,
  author: t.string,
  mentions: MentionsV1,
  sealed: Sealed,
});

const EditedV2 = t.type({
  messageId: t.string,
  ordinal: t.number,
  author: t.string,
  mentions: MentionsV1,
  pinned: t.boolean,
  sealed: Sealed,
});

const EditedV3 = t.type({ ...EditedV2.props, flags: t.union([t.number, t.null]) });

const MessageEdited = defineEvent({
  ...spoken,
  codec: t.type({
    messageId: t.string,
    ordinal: t.number,
    author: t.string,
    mentions: Mentions,
    /** As they are after the edit. Null: an edit from before edits could change them, which left them as they were. */
    flags: t.union([t.number, t.null]),
    /** Whether it is pinned. An edit does not change this. */
    pinned: t.boolean,
    sealed: Sealed,
  }),
  former: [
    formerly(EditedV1, ({ messageId, ordinal, author, mentions, sealed }) => ({
      messageId,
      ordinal,
      author,
      mentions,
      flags: null,
      pinned: false,
      sealed,
    })),
    formerly(EditedV2, ({ messageId, ordinal, author, mentions, pinned, sealed }) => ({
      messageId,
      ordinal,
      author,
      mentions,
      flags: null,
      pinned,
      sealed,
    })),
    formerly(EditedV3, (data) => data),
  ],
  seals: MessageBody,
});

const Deleted = t.type({ messageId: t.string, ordinal: t.number, author: t.string });

/** Of the channel. Null: it is direct, or the event is from before there was an audit log, which does not name it. */
const itsGuildId = { guildId: t.union([t.string, t.null]) };
const OfGuild = t.type(itsGuildId);

const MessageDeleted = defineEvent({
  ...spoken,
  standsAlone: true,
  changes: ['timelines', 'unread', 'audit-log'],
  codec: reasoned(t.intersection([Deleted, OfGuild])),
  former: [
    formerly(Deleted, (data) => ({ ...data, guildId: null })),
    formerly(reasoned(Deleted), (data) => ({ ...data, guildId: null })),
  ],
  // Whoever takes their own words back is nobody's business.
  auditedIn: ({ actor, data: { author, guildId } }) => (actor === author ? undefined : (guildId ?? undefined)),
  takesReason: true,
  seals: null,
});

/** A message gets other flags and stays otherwise as it is. */
const flagged = defineEvent({
  ...spoken,
  frequent: false,
  changes: ['timelines'],
  codec: t.type({
    messageId: t.string,
    ordinal: t.number,
    author: t.string,
    /** As they are after it. */
    flags: t.number,
    /** Whether the message is pinned. This does not change it. */
    pinned: t.boolean,
  }),
  former: [],
  seals: null,
});

/** A moderator hid the embeds of a message, or showed them again. */
const EmbedsSuppressed = flagged;
/** A thread began at a message: its stream came first. */
const MessageThreaded = flagged;

const messagesDeleted = {
  /** At least one, in the order of the channel. */
  messages: t.array(Deleted),
};

/** Several messages deleted at once. */
const MessagesDeleted = defineEvent({
  ...spoken,
  standsAlone: true,
  frequent: false,
  changes: ['timelines', 'unread', 'audit-log'],
  codec: reasoned(t.type({ ...messagesDeleted, ...itsGuildId })),
  former: [formerly(reasoned(t.type(messagesDeleted)), (data) => ({ ...data, guildId: null }))],
  // What a ban deletes belongs to the ban.
  auditedIn: ({ causationId, data: { guildId } }) => (causationId === null ? (guildId ?? undefined) : undefined),
  takesReason: true,
  seals: null,
});

const Reaction = t.type({
  messageId: t.string,
  ordinal: t.number,
  /** Author of the message. */
  author: t.string,
  userId: t.string,
  /** A Unicode emoji in its canonical form. */
  emoji: t.string,
});

const reacting = {
  audiences: itsChannel,
  indexedFor: nobody,
  feed: 'channel',
  intents: { guild: Intent.guildReactions, direct: Intent.directReactions },
  changesRights: false,
  standsAlone: true,
  inGuildCreate: false,
  changes: ['timelines'],
  followedUp: false,
  auditedIn: unaudited,
  takesReason: false,
  seals: null,
} as const;

/** Adding and removing a reaction share one definition. */
const reaction = defineEvent({
  ...reacting,
  codec: Reaction,
  // The first form holds the emoji as the client spelled it.
  former: [formerly(Reaction, (data) => ({ ...data, emoji: canonicalEmoji(data.emoji) }))],
  frequent: true,
});

/** Everybody's reactions taken back at once. */
const ReactionsCleared = defineEvent({
  ...reacting,
  codec: t.type({
    messageId: t.string,
    ordinal: t.number,
    /** Author of the message. */
    author: t.string,
    /** Only those with this emoji, in its canonical form; null: all. */
    emoji: t.union([t.string, t.null]),
  }),
  former: [],
  frequent: false,
});

const ReactionAdded = reaction;
const ReactionRemoved = reaction;

const OnBoard = t.type({
  messageId: t.string,
  ordinal: t.number,
  /** Author of the message. */
  author: t.string,
  /** Who pinned or unpinned it. */
  userId: t.string,
});

const pinning = {
  audiences: itsChannel,
  indexedFor: nobody,
  feed: 'channel',
  intents: { guild: Intent.guilds | Intent.guildMessages, direct: Intent.directMessages },
  changesRights: false,
  standsAlone: false,
  inGuildCreate: false,
  changes: ['pins', 'audit-log'],
  followedUp: false,
  frequent: false,
  takesReason: true,
  seals: null,
} as const;

const Pinned = t.intersection([
  OnBoard,
  /** Milliseconds since 1970; grows from pin to pin of a channel. */
  t.type({ pinnedTime: t.number }),
]);

const MessagePinned = defineEvent({
  ...pinning,
  codec: reasoned(t.intersection([Pinned, OfGuild])),
  former: [
    formerly(Pinned, (data) => ({ ...data, guildId: null })),
    formerly(reasoned(Pinned), (data) => ({ ...data, guildId: null })),
  ],
  auditedIn: ({ data: { guildId } }) => guildId ?? undefined,
});

const Unpinned = t.intersection([
  OnBoard,
  /** Of the most recent pin that remains; null when none does. */
  t.type({
    lastPinnedTime: t.union([t.number, t.null]),
    /** Whether it was taken down because it was deleted. */
    deleted: t.boolean,
  }),
]);

const MessageUnpinned = defineEvent({
  ...pinning,
  codec: reasoned(t.intersection([Unpinned, OfGuild])),
  former: [
    formerly(Unpinned, (data) => ({ ...data, guildId: null })),
    formerly(reasoned(Unpinned), (data) => ({ ...data, guildId: null })),
  ],
  auditedIn: ({ data: { guildId, deleted } }) => (deleted ? undefined : (guildId ?? undefined)),
});

const described = { name: t.string, topic: t.union([t.string, t.null]) };

/** What those who manage a guild's channel change about it. */
export const ChannelDetails = t.type({ ...described, ...placed });
export type ChannelDetails = t.TypeOf<typeof ChannelDetails>;

const ofChannel = {
  ...structure,
  audiences: itsChannel,
  indexedFor: nobody,
  changes: LOGGED,
  auditedIn: auditedInGuild,
  takesReason: true,
} as const;

const EditedChannelV1 = t.type({
  channelId: t.string,
  guildId: t.string,
  details: t.type({ ...described, nsfw: placed.nsfw, position: placed.position }),
});

const EditedChannelV2 = t.type({
  channelId: t.string,
  guildId: t.string,
  /** All of them, as they are afterwards. */
  details: ChannelDetails,
});

const ChannelEdited = defineEvent({
  ...ofChannel,
  codec: reasoned(
    t.intersection([
      EditedChannelV2,
      /** It does no more than leave a category that is deleted. */
      t.partial({ orphaned: t.literal(true) }),
    ]),
  ),
  former: [
    formerly(EditedChannelV1, ({ channelId, guildId, details }) => ({
      ...{ channelId, guildId },
      details: { ...PLAIN, ...details },
    })),
    formerly(reasoned(EditedChannelV2), (data) => data),
  ],
  // With a category goes that others were in it.
  auditedIn: ({ data: { guildId, orphaned } }) => (orphaned === true ? undefined : guildId),
  changesRights: false,
});

/**
 * Nothing follows it in the channel's stream. Told to the guild, because nobody sees the channel afterwards. A resume
 * compares the channels then and now instead of finding it.
 */
const ChannelDeleted = defineEvent({
  ...ofChannel,
  codec: reasoned(
    t.type({
      channelId: t.string,
      guildId: t.string,
      /** Ids of the channels in a category, which a process takes out of it. */
      children: t.array(t.string),
    }),
  ),
  former: [
    formerly(t.type({ channelId: t.string, guildId: t.string }), ({ channelId, guildId }) => ({
      ...{ channelId, guildId, children: [] },
    })),
  ],
  followedUp: true,
  audiences: itsGuild,
  changesRights: true,
});

/** Those who gain or lose the channel by it are told that it begins or ends for them. */
const overwriting = { ...ofChannel, changesRights: 'channels' } as const;

const OverwriteSet = defineEvent({
  ...overwriting,
  codec: reasoned(t.type({ channelId: t.string, guildId: t.string, overwrite: Overwrite })),
});

const OverwriteDeleted = defineEvent({
  ...overwriting,
  codec: reasoned(
    t.type({
      channelId: t.string,
      guildId: t.string,
      /** Of the role or the person. */
      overwriteId: t.string,
    }),
  ),
});

/** By their stored names. */
export const channelEvents = {
  'channel-created': ChannelCreated,
  'channel-edited': ChannelEdited,
  'channel-deleted': ChannelDeleted,
  'message-posted': MessagePosted,
  'message-edited': MessageEdited,
  'embeds-suppressed': EmbedsSuppressed,
  'message-threaded': MessageThreaded,
  'message-deleted': MessageDeleted,
  'messages-deleted': MessagesDeleted,
  'reaction-added': ReactionAdded,
  'reaction-removed': ReactionRemoved,
  'reactions-cleared': ReactionsCleared,
  'message-pinned': MessagePinned,
  'message-unpinned': MessageUnpinned,
  'overwrite-set': OverwriteSet,
  'overwrite-deleted': OverwriteDeleted,
} as const;
