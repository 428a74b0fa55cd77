/** A channel: its settings and everything said in it. Stream `channel-<id>`. */

import { either } from 'fp-ts';
import type { Sealed } from '../schemas/envelope.ts';
import { fieldError } from '../schemas/errors.ts';
import type { DecidedEvent, EventData, ParleyEvent } from '../schemas/events/catalogue.ts';
import {
  type AnyKind,
  type ChannelDetails,
  type Forwarded,
  type Mentions,
  type MessageBody,
  MessageType,
  NO_MENTIONS,
  type Overwrite,
  PLAIN,
  SUPPRESS_EMBEDS,
} from '../schemas/events/channel.ts';
import type { Group } from '../schemas/events/group.ts';
import type { ThreadDetails, ThreadMember } from '../schemas/events/thread.ts';
import { deletedBy } from '../schemas/message-ids.ts';
import { isBlank } from '../schemas/text.ts';
import { type Decision, type Fold, happen, nothing, refuse, type StreamState, timed } from './decider.ts';
import { type AllowedMentions, type Mentionable, mentionsIn } from './mentions.ts';
import { type Patch, patched } from './patch.ts';
import {
  allows,
  type ChannelRights,
  channelPermissions,
  type GuildRights,
  type MemberRights,
  overwritesWith,
  Permission,
} from './permissions.ts';
import { nonceKey, RecentKeys, type RecentKeysJson } from './recent-keys.ts';
import { LAST_ID_TIME, messageIdAfter, snowflakeTime } from './snowflake.ts';

/** What a thread has beyond what every channel has. */
export interface ThreadSettings {
  readonly id: string;
  readonly parentId: string;
  readonly isPrivate: boolean;
  readonly ownerId: string;
  /** Whether it begins at a message of its parent. */
  readonly isStarted: boolean;
  readonly details: ThreadDetails;
  /** By user id. */
  readonly members: Readonly<Record<string, Omit<ThreadMember, 'userId'>>>;
  /** How many of its messages are deleted. */
  readonly deleted: number;
}

export interface ChannelSettings {
  readonly kind: AnyKind;
  /** `undefined`: it is no thread. */
  readonly thread?: ThreadSettings;
  /** Of a group; `undefined`: it is none. */
  readonly ownerId?: string;
  readonly guildId: string | null;
  readonly overwrites: readonly Overwrite[];
  readonly participants: readonly string[];
  readonly details: ChannelDetails;
  readonly isDeleted: boolean;
}

interface Pin {
  readonly messageId: string;
  /** Milliseconds since 1970. */
  readonly pinnedTime: number;
}

export interface ChannelState extends StreamState {
  /** `undefined` until the channel is created. */
  settings: ChannelSettings | undefined;
  /** Number of messages ever posted, which is the ordinal of the last. */
  ordinal: number;
  /** Time in the id of the last message, in milliseconds since 1970, up to `LAST_ID_TIME`; 0 before the first. */
  headTime: number;
  /** Pinned messages, the most recent pin last. */
  pins: readonly Pin[];
  keys: RecentKeys;
}

interface ChannelStateJson extends Omit<ChannelState, 'keys' | 'pins'> {
  readonly keys: RecentKeysJson;
  readonly pins?: readonly Pin[];
}

/** Of a state without its lists. */
const STATE_BYTES = 1000;
/** Of a pin, and half of an overwrite. */
const ENTRY_BYTES = 150;

type Pinned = Pick<ChannelState, 'pins'>;

export const withoutPin = ({ pins }: Pinned, messageId: string) => pins.filter((pin) => pin.messageId !== messageId);

export const isPinned = ({ pins }: Pinned, messageId: string) => pins.some((pin) => pin.messageId === messageId);

/** @param overwrite what takes the place of the former; `undefined`: nothing */
const overwriteAs = (state: ChannelState, id: string, overwrite: Overwrite | undefined): void => {
  if (state.settings === undefined) return;
  state.settings = { ...state.settings, overwrites: overwritesWith(state.settings.overwrites, id, overwrite) };
};

const threadAs = (state: ChannelState, changed: Partial<ThreadSettings>): void => {
  const thread = state.settings?.thread;
  if (thread !== undefined) state.settings = { ...state.settings!, thread: { ...thread, ...changed } };
};

const groupAs = (state: ChannelState, { name, ownerId, participants }: Group): void => {
  const { settings } = state;
  if (settings === undefined) return;
  const details = { ...settings.details, name: name ?? '' };
  state.settings = { ...settings, ownerId, participants, details };
};

const threadAsBegun = (data: EventData<'thread-created'>): ChannelSettings => {
  const { channelId: id, guildId, parentId, isPrivate, startedAt, details, creator } = data;
  const members = membersAfter({}, { added: [creator], removed: [] });
  return {
    ...{ kind: 'thread', guildId, overwrites: [], participants: [], isDeleted: false },
    details: { name: details.name, topic: null, ...PLAIN },
    thread: {
      ...{ id, parentId, isPrivate, ownerId: creator.userId, isStarted: startedAt !== null },
      ...{ details, members, deleted: 0 },
    },
  };
};

const membersAfter = (
  members: ThreadSettings['members'],
  { added, removed }: { readonly added: readonly ThreadMember[]; readonly removed: readonly string[] },
): ThreadSettings['members'] => ({
  ...Object.fromEntries(Object.entries(members).filter(([userId]) => !removed.includes(userId))),
  ...Object.fromEntries(added.map(({ userId, ...member }) => [userId, member])),
});

/** Any message counts by its nonce, whether it asked for that or not: the one that asks does not care how others were sent. */
const nonceKeyOf = (event: ParleyEvent): string | undefined =>
  event.type === 'message-posted' && event.data.nonce !== null
    ? nonceKey(event.data.author, event.data.nonce)
    : undefined;

export const channelFold: Fold<ChannelState> = {
  version: 13,
  initial: () => ({ sequence: 0, settings: undefined, ordinal: 0, headTime: 0, pins: [], keys: new RecentKeys() }),
  evolve: (state, event) => {
    state.sequence = event.sequence;
    if (event.key !== null) state.keys.remember(event.key, event.sequence, event.time, nonceKeyOf(event));
    if (event.type === 'message-posted') {
      state.ordinal = event.data.ordinal;
      // Former versions could store ids that no later one can follow. The channel goes on without them.
      const time = snowflakeTime(event.data.messageId);
      if (time <= LAST_ID_TIME) state.headTime = time;
    } else if (event.type === 'channel-created') {
      const { kind, guildId, overwrites, participants, name, topic, nsfw, position, parentId, slowmode } = event.data;
      const details = { name: name ?? '', topic, nsfw, position, parentId, slowmode };
      const owner = kind === 'group' ? { ownerId: participants[0]! } : {};
      state.settings = { kind, guildId, overwrites, participants, details, isDeleted: false, ...owner };
    } else if (event.type === 'channel-edited') {
      if (state.settings !== undefined) state.settings = { ...state.settings, details: event.data.details };
    } else if (event.type === 'channel-deleted') {
      if (state.settings !== undefined) state.settings = { ...state.settings, isDeleted: true };
    } else if (event.type === 'overwrite-set') {
      const { overwrite } = event.data;
      overwriteAs(state, overwrite.id, overwrite);
    } else if (event.type === 'overwrite-deleted') {
      overwriteAs(state, event.data.overwriteId, undefined);
    } else if (
      event.type === 'recipient-added' ||
      event.type === 'recipient-removed' ||
      event.type === 'group-edited'
    ) {
      groupAs(state, event.data.group);
    } else if (event.type === 'thread-created') {
      state.settings = threadAsBegun(event.data);
    } else if (event.type === 'thread-edited') {
      threadAs(state, { details: event.data.details });
    } else if (event.type === 'thread-members-changed') {
      threadAs(state, { members: membersAfter(state.settings?.thread?.members ?? {}, event.data) });
    } else if (event.type === 'thread-shrank') {
      threadAs(state, { deleted: event.data.deleted });
    } else if (event.type === 'thread-deleted') {
      if (state.settings !== undefined) state.settings = { ...state.settings, isDeleted: true };
    } else if (event.type === 'message-pinned') {
      const { messageId, pinnedTime } = event.data;
      state.pins = [...state.pins, { messageId, pinnedTime }];
    } else if (event.type === 'message-unpinned') {
      state.pins = withoutPin(state, event.data.messageId);
    }
    return state;
  },
  fork: ({ sequence, settings, ordinal, headTime, pins, keys }) => ({
    ...{ sequence, settings, ordinal, headTime, pins },
    keys: new RecentKeys(keys),
  }),
  adopt: (fork) => {
    fork.keys = fork.keys.adopted();
    return fork;
  },
  bytes: ({ settings, pins, keys }) => {
    const members = settings?.thread === undefined ? 0 : Object.keys(settings.thread.members).length;
    return STATE_BYTES + ENTRY_BYTES * (pins.length + members + 2 * (settings?.overwrites.length ?? 0)) + keys.bytes;
  },
  toJson: (state): ChannelStateJson => ({ ...state, keys: state.keys.toJson() }),
  fromJson: (json) => {
    const { keys, ...rest } = json as ChannelStateJson;
    // A state stored before pins existed has none.
    return { ...rest, settings: rest.settings, pins: rest.pins ?? [], keys: RecentKeys.fromJson(keys) };
  },
};

/** What a decision needs to know about one message, and about one reaction to it. */
export interface MessageState {
  readonly messageId: string;
  readonly ordinal: number;
  readonly author: string;
  /** One of `MessageType`. */
  readonly type: number;
  readonly replyTo: string | null;
  readonly mentions: Mentions;
  readonly flags: number;
  /** Its text, sealed in event `sealedIn`; null once deleted. */
  readonly sealed: Sealed | null;
  readonly sealedIn: string;
  readonly deleted: boolean;
  /** How many people reacted with each emoji. */
  readonly reactions: ReadonlyMap<string, number>;
  /** Whether the given user reacted with the given emoji. */
  readonly reacted: boolean;
}

/** Applies a later event of the channel to what a timeline knows of a message. */
export const evolveMessage = (
  message: MessageState | undefined,
  event: ParleyEvent,
  about: { readonly messageId: string; readonly userId?: string; readonly emoji?: string },
): MessageState | undefined => {
  if (event.type === 'message-posted' && event.data.messageId === about.messageId) {
    const { messageId, ordinal, author, messageType: type, replyTo, mentions, flags, sealed } = event.data;
    const said = { messageId, ordinal, author, type, replyTo, mentions, flags, sealed, sealedIn: event.id };
    return { ...said, deleted: false, reactions: new Map(), reacted: false };
  }
  if (deletedBy(event).includes(about.messageId)) return message && { ...message, deleted: true, sealed: null };
  if (message === undefined || !('messageId' in event.data) || event.data.messageId !== about.messageId) return message;
  if (event.type === 'message-edited') {
    const { mentions, flags, sealed } = event.data;
    return { ...message, mentions, flags: flags ?? message.flags, sealed, sealedIn: event.id };
  }
  if (event.type === 'embeds-suppressed' || event.type === 'message-threaded')
    return { ...message, flags: event.data.flags };
  if (event.type === 'reactions-cleared') {
    const { emoji } = event.data;
    const isAsked = emoji === null || emoji === about.emoji;
    const left = [...message.reactions].filter(([other]) => emoji !== null && other !== emoji);
    return { ...message, reactions: new Map(left), reacted: message.reacted && !isAsked };
  }
  if (event.type !== 'reaction-added' && event.type !== 'reaction-removed') return message;
  const { emoji, userId } = event.data;
  const added = event.type === 'reaction-added';
  const isAsked = emoji === about.emoji && userId === about.userId;
  // Old logs hold one reaction in two spellings, which are read as the same.
  if (isAsked && message.reacted === added) return message;
  const reactions = new Map(message.reactions);
  const count = (reactions.get(emoji) ?? 0) + (added ? 1 : -1);
  if (count > 0) reactions.set(emoji, count);
  else reactions.delete(emoji);
  return { ...message, reactions, reacted: isAsked ? added : message.reacted };
};

type RepliedTo = Pick<MessageState, 'messageId' | 'author' | 'deleted'>;

/** The user who acts, with the rights that other streams hold. */
export interface ChannelActor {
  readonly userId: string;
  /** The channel's guild; `undefined` for a direct channel. */
  readonly guild: GuildRights | undefined;
  /** The user's membership of the guild, if there is one. */
  readonly member: MemberRights | undefined;
  /** In the direct channel of two people: one of them blocks the other. */
  readonly blocked?: boolean | undefined;
  /** Of a thread: the channel that it is in. */
  readonly parent?: ChannelRights | undefined;
}

export interface OnMessage extends ChannelActor {
  readonly key: string;
  readonly message: MessageState | undefined;
}

export interface Post extends ChannelActor {
  readonly key: string;
  /** Of a nonce that is to be enforced. */
  readonly secondKey?: string | undefined;
  /** The clock, in milliseconds since 1970. */
  readonly now: number;
  /** Low bits of the message's id: worker and counter. */
  readonly low: bigint;
  /** Original time of an imported message. */
  readonly time?: number;
  readonly body: MessageBody;
  /** That it forwards a message, if its author can read that message. */
  readonly forward?: { readonly message: Forwarded | undefined } | undefined;
  readonly allowed: AllowedMentions;
  /** Ids in the text's mentions that belong to users. */
  readonly knownUsers: ReadonlySet<string>;
  /** The message replied to and whether its author is to be told. */
  readonly reply: { readonly message: RepliedTo | undefined; readonly mention: boolean } | undefined;
  readonly flags: number;
  readonly nonce: string | number | null;
}

export const rightsIn = ({ settings }: ChannelState, actor: ChannelActor): bigint => {
  if (settings === undefined) return 0n;
  const { thread } = settings;
  const channel = thread === undefined ? settings : { ...settings, thread: { ...thread, parent: actor.parent } };
  return channelPermissions(channel, actor.guild, actor.userId, actor.member);
};

/** Refuses what the actor may not do. An actor who cannot see the channel is told that it does not exist. */
export const denied = (rights: bigint, wanted: bigint): Decision | undefined => {
  if (!allows(rights, Permission.viewChannel)) return refuse('unknownChannel');
  return allows(rights, wanted) ? undefined : refuse('missingPermissions');
};

/** Refuses what only channels of guilds have, and there those with the right. */
export const deniedInGuild = (actor: ChannelActor, state: ChannelState, wanted: bigint): Decision | undefined => {
  const rights = rightsIn(state, actor);
  const isDirect = allows(rights, Permission.viewChannel) && actor.guild === undefined;
  return isDirect ? refuse('dmExecute') : denied(rights, wanted);
};

/** Refuses what is for those who manage a guild's messages. */
export const deniedToModerate = (actor: ChannelActor, state: ChannelState): Decision | undefined =>
  deniedInGuild(actor, state, Permission.manageMessages);

/** An imported line may be of blanks: it was said elsewhere. */
const saysNothing = ({ content, embeds, forwarded }: MessageBody, imported = false): boolean =>
  forwarded === undefined && embeds.length === 0 && (imported ? content === '' : isBlank(content));

/** @param rights of the author in the channel */
const mentionableBy = (rights: bigint, { guild }: ChannelActor): Mentionable => {
  const everyone = allows(rights, Permission.mentionEveryone);
  // Most messages mention no role, so none is looked at beforehand.
  const has = (wanted: string): boolean =>
    guild?.roles.some(({ id, mentionable }) => id === wanted && (everyone || mentionable === true)) === true;
  return { everyone, roles: { has } };
};

export const secretOf = (by: string, body: MessageBody) => ({ by, text: JSON.stringify(body) });

export const createChannel = (
  command: {
    readonly channel: EventData<'channel-created'>;
    readonly key: string;
    /** Original time of an imported channel. */
    readonly time?: number;
  },
  state: ChannelState,
): Decision =>
  state.settings === undefined
    ? happen({ type: 'channel-created', data: command.channel, ...timed(command) })
    : nothing;

export const post = (command: Post, state: ChannelState): Decision => {
  const rights = rightsIn(state, command);
  const refusal = denied(rights, Permission.sendMessages);
  if (refusal !== undefined) return refusal;
  if (state.settings?.kind === 'category') return refuse('noTextChannel');
  if (state.keys.has(command.key)) return nothing;
  if (command.blocked === true) return refuse('cannotMessageUser');
  if (command.secondKey !== undefined && state.keys.has(command.secondKey)) return nothing;
  const { reply, forward } = command;
  if (forward !== undefined && forward.message === undefined) return refuse('unknownMessage');
  const body = forward?.message === undefined ? command.body : { ...command.body, forwarded: forward.message };
  if (saysNothing(body, command.time !== undefined)) return refuse('emptyMessage');
  // A reply shows what it replies to. Who imports has read all of it.
  const mayReply = command.time !== undefined || allows(rights, Permission.readMessageHistory);
  if (reply !== undefined && !mayReply) return refuse('replyWithoutHistory');
  if (reply !== undefined && (reply.message === undefined || reply.message.deleted)) return refuse('unknownMessage');
  const { thread } = state.settings!;
  if (thread !== undefined && isLockedFor(thread, rights)) return refuse('threadLocked');
  const written = mentionsIn(command.body.content, command.allowed, mentionableBy(rights, command));
  const users = written.users.filter((id) => command.knownUsers.has(id));
  if (reply?.mention && reply.message !== undefined && !users.includes(reply.message.author))
    users.push(reply.message.author);
  const event: DecidedEvent = {
    type: 'message-posted',
    data: {
      messageId: messageIdAfter(state.headTime, command.time ?? command.now, command.low),
      ordinal: state.ordinal + 1,
      author: command.userId,
      messageType: reply === undefined ? MessageType.default : MessageType.reply,
      replyTo: reply?.message?.messageId ?? null,
      mentions: { ...written, users },
      flags: command.flags,
      nonce: command.nonce,
    },
    secret: secretOf(command.userId, body),
    ...timed(command),
  };
  return thread === undefined ? happen(event) : happen(...enteredBy(command, thread, state), event);
};

const isLockedFor = ({ details }: ThreadSettings, rights: bigint): boolean =>
  details.locked && !allows(rights, Permission.manageThreads);

export const MAX_THREAD_MEMBERS = 1000;

/** Where a thread is, as its events say it. */
export const inThread = ({ id, parentId }: ThreadSettings, { settings }: Pick<ChannelState, 'settings'>) => ({
  ...{ channelId: id, guildId: settings!.guildId!, parentId },
});

/** @param more what is said only where it is so */
export const threadEdited = (
  thread: ThreadSettings,
  state: ChannelState,
  details: ThreadDetails,
  more: Pick<EventData<'thread-edited'>, 'byMessage'> = {},
): DecidedEvent => ({
  type: 'thread-edited',
  data: { ...inThread(thread, state), details, wasArchived: thread.details.archived, posted: state.ordinal, ...more },
});

export const threadMembersChanged = (
  thread: ThreadSettings,
  state: ChannelState,
  change: { readonly added: ThreadMember[]; readonly removed: string[] },
): DecidedEvent => ({
  type: 'thread-members-changed',
  data: {
    ...{ ...inThread(thread, state), isPrivate: thread.isPrivate, ...change },
    count: Object.keys(membersAfter(thread.members, change)).length,
  },
});

/** Whoever writes in a thread unarchives it and is in it from then on. */
const enteredBy = (
  { userId, member, now }: Post,
  thread: ThreadSettings,
  state: ChannelState,
): readonly DecidedEvent[] => {
  const { details, members } = thread;
  const events: DecidedEvent[] = [];
  if (details.archived) {
    const active = { ...details, archived: false, archiveTime: now };
    events.push(threadEdited(thread, state, active, { byMessage: true }));
  }
  const stay = member?.joinedAt ?? 0;
  const known = members[userId];
  const isFull = Object.keys(members).length >= MAX_THREAD_MEMBERS;
  if (known === undefined ? !isFull : known.stay !== stay)
    events.push(threadMembersChanged(thread, state, { removed: [], added: [{ userId, joinedTime: now, stay }] }));
  return events;
};

/** Refuses what changes nothing in an archived thread but its archiving. */
export const deniedInArchive = ({ settings }: ChannelState): Decision | undefined =>
  settings?.thread?.details.archived === true ? refuse('threadArchived') : undefined;

/** How many messages of a thread are deleted by now; nothing for other channels. */
export const shrunkBy = (count: number, state: ChannelState): readonly DecidedEvent[] => {
  const thread = state.settings?.thread;
  if (thread === undefined || count === 0) return [];
  return [{ type: 'thread-shrank', data: { ...inThread(thread, state), deleted: thread.deleted + count } }];
};

interface PostedFor {
  readonly author: string;
  readonly type: number;
  /** The thread or the message that it refers to; absent: to none. */
  readonly about?: string;
  readonly content?: string;
  /** Whom it names. */
  readonly users?: readonly string[];
}

/** A message that the server posts in somebody's name. */
export const postedFor = (
  { author, type: messageType, about, content = '', users = [] }: PostedFor,
  { messageId, ordinal }: { readonly messageId: string; readonly ordinal: number },
): DecidedEvent => {
  const replyTo = about ?? null;
  const mentions = { ...NO_MENTIONS, users: [...users] };
  return {
    type: 'message-posted',
    data: { messageId, ordinal, author, messageType, replyTo, mentions, flags: 0, nonce: null },
    secret: secretOf(author, { content, embeds: [] }),
  };
};

/**
 * As `postedFor`, behind all that was said in the channel.
 * @param clock the time in milliseconds since 1970, and the low bits of the message's id
 */
export const postedLast = (
  message: PostedFor,
  { now, low }: { readonly now: number; readonly low: bigint },
  { headTime, ordinal }: ChannelState,
): DecidedEvent => postedFor(message, { messageId: messageIdAfter(headTime, now, low), ordinal: ordinal + 1 });

/** Whether a user wrote it. The server itself posts the other types. */
export const isWritten = ({ type }: Pick<MessageState, 'type'>): boolean =>
  type === MessageType.default || type === MessageType.reply;

/** What an author may say anew. */
type Said = Omit<MessageBody, 'forwarded'>;

const NOTHING_SAID: Said = { content: '', embeds: [] };

export interface Edit extends OnMessage {
  readonly patch: Patch<Said & { readonly flags: number }>;
  /** The text as it is. */
  readonly former: MessageBody;
  readonly allowed: AllowedMentions;
  readonly knownUsers: ReadonlySet<string>;
  /** Author of the message that this one replies to. */
  readonly repliedTo: string | undefined;
  /** Whether that author is to be told; `undefined`: as before. */
  readonly tells: boolean | undefined;
}

/** Without new text the mentions stay as they are. */
const mentionsAfter = (command: Edit, message: MessageState, content: string, mentionable: Mentionable): Mentions => {
  if (command.patch.content === undefined) return message.mentions;
  const written = mentionsIn(content, command.allowed, mentionable);
  const users = written.users.filter((id) => command.knownUsers.has(id));
  const { repliedTo } = command;
  if (repliedTo !== undefined && (command.tells ?? message.mentions.users.includes(repliedTo)))
    if (!users.includes(repliedTo)) users.push(repliedTo);
  return { ...written, users };
};

/** An edit hides and shows the embeds. It leaves the other flags as they are, which libraries send along. */
const flagsAfter = ({ flags }: MessageState, wanted: number | null | undefined): number =>
  wanted === undefined ? flags : (flags & ~SUPPRESS_EMBEDS) | ((wanted ?? 0) & SUPPRESS_EMBEDS);

/** Refuses flags that the message does not have and that an edit cannot set. */
const deniedFlags = ({ flags }: MessageState, wanted: number | null | undefined): Decision | undefined => {
  const others = (wanted ?? 0) & ~(flags | SUPPRESS_EMBEDS);
  if (others === 0) return undefined;
  return either.left(fieldError(['flags'], 'FLAG_UNSUPPORTED', `An edit cannot set these flags: leave out ${others}.`));
};

/** Of other people's messages, a moderator may hide and show the embeds, and change nothing else. Other flags stay as they are. */
const suppressEmbeds = (command: Edit, message: MessageState, state: ChannelState): Decision => {
  const { flags: wanted, ...more } = command.patch;
  if (wanted === undefined || Object.values(more).some((field) => field !== undefined))
    return refuse('cannotEditOthers');
  const refusal = deniedToModerate(command, state);
  if (refusal !== undefined) return refusal;
  const unsettable = deniedFlags(message, wanted);
  if (unsettable !== undefined) return unsettable;
  const flags = flagsAfter(message, wanted);
  if (flags === message.flags) return nothing;
  const { messageId, ordinal, author } = message;
  const data = { messageId, ordinal, author, flags, pinned: isPinned(state, messageId) };
  return happen({ type: 'embeds-suppressed', data });
};

export const edit = (command: Edit, state: ChannelState): Decision => {
  const rights = rightsIn(state, command);
  const refusal = denied(rights, 0n);
  if (refusal !== undefined) return refusal;
  if (state.keys.has(command.key)) return nothing;
  const { message } = command;
  if (message === undefined || message.deleted) return refuse('unknownMessage');
  const archived = deniedInArchive(state);
  if (archived !== undefined) return archived;
  if (message.author !== command.userId) return suppressEmbeds(command, message, state);
  // The other would read it as they would read a new message.
  if (command.blocked === true) return refuse('cannotMessageUser');
  if (!isWritten(message)) return refuse('systemMessage');
  if (command.former.forwarded !== undefined) return refuse('forwardedMessage');
  const { flags: wanted, ...said } = command.patch;
  const unsettable = deniedFlags(message, wanted);
  if (unsettable !== undefined) return unsettable;
  const flags = flagsAfter(message, wanted);
  const { content, embeds } = patched(command.former, said, NOTHING_SAID);
  if (saysNothing({ content, embeds })) return refuse('emptyMessage');
  const mentions = mentionsAfter(command, message, content, mentionableBy(rights, command));
  const { content: saidBefore, embeds: shownBefore } = command.former;
  const before = { content: saidBefore, embeds: shownBefore, flags: message.flags, mentions: message.mentions };
  if (JSON.stringify({ content, embeds, flags, mentions }) === JSON.stringify(before)) return nothing;
  return happen({
    type: 'message-edited',
    data: {
      messageId: message.messageId,
      ordinal: message.ordinal,
      author: message.author,
      mentions,
      flags,
      pinned: isPinned(state, message.messageId),
    },
    secret: secretOf(command.userId, { content, embeds }),
  });
};

type Placed = Pick<MessageState, 'messageId' | 'ordinal' | 'author'>;

const onBoard = ({ messageId, ordinal, author }: Placed, { userId }: ChannelActor) => ({
  messageId,
  ordinal,
  author,
  userId,
});

export const takenDown = (message: Placed, actor: ChannelActor, state: Pinned, deleted: boolean): DecidedEvent => ({
  type: 'message-unpinned',
  data: {
    ...onBoard(message, actor),
    lastPinnedTime: withoutPin(state, message.messageId).at(-1)?.pinnedTime ?? null,
    deleted,
    guildId: actor.guild?.id ?? null,
  },
});

/** Whether nobody deletes it, which Discord says of some of the types that the server posts. */
const isLasting = ({ type }: Pick<MessageState, 'type'>): boolean =>
  type === MessageType.recipientAdd ||
  type === MessageType.recipientRemove ||
  type === MessageType.channelNameChange ||
  type === MessageType.threadStarterMessage;

export const remove = (command: OnMessage, state: ChannelState): Decision => {
  const rights = rightsIn(state, command);
  const refusal = denied(rights, 0n);
  if (refusal !== undefined) return refusal;
  if (state.keys.has(command.key)) return nothing;
  const { message } = command;
  if (message === undefined || message.deleted) return refuse('unknownMessage');
  if (message.author !== command.userId && !allows(rights, Permission.manageMessages))
    return refuse('missingPermissions');
  const { messageId, ordinal, author } = message;
  if (isLasting(message)) return refuse('systemMessage');
  const guildId = command.guild?.id ?? null;
  const deleted: DecidedEvent = { type: 'message-deleted', data: { messageId, ordinal, author, guildId } };
  const after = shrunkBy(1, state);
  return isPinned(state, messageId)
    ? happen(takenDown(message, command, state, true), deleted, ...after)
    : happen(deleted, ...after);
};

export const MAX_PINS = 250;

/** Pins a message, and posts a message that says so. */
export const pin = (
  command: OnMessage & {
    /** The clock, in milliseconds since 1970. */
    readonly now: number;
    /** Low bits of the id of that posted message. */
    readonly low: bigint;
  },
  state: ChannelState,
): Decision => {
  const refusal = denied(rightsIn(state, command), Permission.pinMessages);
  if (refusal !== undefined) return refusal;
  if (state.keys.has(command.key)) return nothing;
  // It posts a message.
  if (command.blocked === true) return refuse('cannotMessageUser');
  const { message, now, userId } = command;
  if (message === undefined || message.deleted) return refuse('unknownMessage');
  if (!isWritten(message)) return refuse('systemMessage');
  const archived = deniedInArchive(state);
  if (archived !== undefined) return archived;
  if (isPinned(state, message.messageId)) return nothing;
  if (state.pins.length >= MAX_PINS) return refuse('tooManyPins');
  const pinnedTime = Math.max(now, (state.pins.at(-1)?.pinnedTime ?? 0) + 1);
  return happen(
    { type: 'message-pinned', data: { ...onBoard(message, command), pinnedTime, guildId: command.guild?.id ?? null } },
    postedLast({ author: userId, type: MessageType.channelPinnedMessage, about: message.messageId }, command, state),
  );
};

export const unpin = (command: OnMessage, state: ChannelState): Decision => {
  const refusal = denied(rightsIn(state, command), Permission.pinMessages);
  if (refusal !== undefined) return refusal;
  if (state.keys.has(command.key)) return nothing;
  const { message } = command;
  if (message === undefined || message.deleted) return refuse('unknownMessage');
  const archived = deniedInArchive(state);
  if (archived !== undefined) return archived;
  return isPinned(state, message.messageId) ? happen(takenDown(message, command, state, false)) : nothing;
};
