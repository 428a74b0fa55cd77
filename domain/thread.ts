/** Threads: channels in a channel, with members of their own. Stream `channel-<id>`, as every channel. */
import type { DecidedEvent } from '../schemas/events/catalogue.ts';
import { type AnyKind, HAS_THREAD, MessageType } from '../schemas/events/channel.ts';
import type { ThreadDetails } from '../schemas/events/thread.ts';
import {
  type ChannelActor,
  type ChannelState,
  denied,
  deniedInArchive,
  inThread,
  isPinned,
  isWritten,
  MAX_THREAD_MEMBERS,
  type MessageState,
  postedFor,
  postedLast,
  rightsIn,
  type ThreadSettings,
  threadEdited,
  threadMembersChanged,
} from './channel.ts';
import { type Decision, happen, isDecision, nothing, refuse } from './decider.ts';
import { type Patch, patched } from './patch.ts';
import { allows, type ChannelRights, channelPermissions, type MemberRights, Permission } from './permissions.ts';
import { messageIdAfter, snowflakeTime } from './snowflake.ts';

/** The message that a thread begins at. */
type Started = Pick<MessageState, 'messageId' | 'author' | 'ordinal' | 'type' | 'deleted'>;

interface Creating extends ChannelActor {
  readonly key: string;
  readonly channelId: string;
  readonly parentId: string;
  readonly parent: ChannelRights;
  readonly parentKind: AnyKind;
  readonly details: Omit<ThreadDetails, 'archived' | 'locked' | 'archiveTime'>;
  readonly isPrivate: boolean;
  /** The message that it is to begin at; absent: at none. */
  readonly at?: { readonly message: Started | undefined };
  /** Whether the guild has as many active threads as it may have. */
  readonly isFull: boolean;
  /** The clock, in milliseconds since 1970. */
  readonly now: number;
  /** Low bits of the id of the message that it begins with. */
  readonly low: bigint;
}

/** A thread that begins at a message has that message's id, and begins with a message that refers to it. */
export const createThread = (command: Creating, state: ChannelState): Decision => {
  const { guild, member, userId, parent, isPrivate, at, now, key } = command;
  // Its first message shows the one that it begins at.
  const shown = at === undefined ? 0n : Permission.readMessageHistory;
  const wanted = shown | (isPrivate ? Permission.createPrivateThreads : Permission.createPublicThreads);
  const rights = channelPermissions(parent, guild, userId, member);
  const isText = guild !== undefined && (command.parentKind === 'text' || command.parentKind === 'announcement');
  const refusal = denied(rights, isText ? wanted : 0n);
  if (refusal !== undefined) return refusal;
  if (!isText) return refuse('wrongChannelType');
  if (state.keys.has(key)) return nothing;
  const message = at?.message;
  if (at !== undefined) {
    if (message === undefined || message.deleted) return refuse('unknownMessage');
    if (state.settings !== undefined) return refuse('threadExists');
    if (!isWritten(message)) return refuse('systemMessage');
  }
  if (state.settings !== undefined) return nothing;
  if (command.isFull) return refuse('maximumThreads');
  const firstMessageId = message === undefined ? null : messageIdAfter(state.headTime, now, command.low);
  const created: DecidedEvent = {
    type: 'thread-created',
    data: {
      ...{ channelId: command.channelId, guildId: guild!.id, parentId: command.parentId, isPrivate },
      details: { ...command.details, archived: false, locked: false, archiveTime: now },
      creator: { userId, joinedTime: now, stay: member?.joinedAt ?? 0 },
      startedAt: message === undefined ? null : { author: message.author, ordinal: message.ordinal },
      firstMessageId,
    },
  };
  if (firstMessageId === null) return happen(created);
  const { threadStarterMessage: type } = MessageType;
  return happen(
    created,
    postedFor({ author: userId, type, about: message!.messageId }, { messageId: firstMessageId, ordinal: 1 }),
  );
};

/** In the parent: says that a message has a thread. Nothing where the message is gone. */
export const flagAsThreaded = (message: MessageState | undefined, state: ChannelState): Decision => {
  if (message === undefined || message.deleted || (message.flags & HAS_THREAD) !== 0) return nothing;
  const { messageId, ordinal, author, flags } = message;
  const data = { messageId, ordinal, author, flags: flags | HAS_THREAD, pinned: isPinned(state, messageId) };
  return happen({ type: 'message-threaded', data });
};

/** In the parent: posts a message that names a thread that begins at none. */
export const announceThread = (
  command: {
    readonly key: string;
    readonly threadId: string;
    readonly name: string;
    readonly author: string;
    readonly now: number;
    readonly low: bigint;
  },
  state: ChannelState,
): Decision => {
  if (state.keys.has(command.key) || state.settings === undefined || state.settings.isDeleted) return nothing;
  const { author, threadId: about, name: content } = command;
  return happen(postedLast({ author, type: MessageType.threadCreated, about, content }, command, state));
};

interface OnThread extends ChannelActor {
  readonly key: string;
}

interface InThread {
  readonly thread: ThreadSettings;
  readonly rights: bigint;
  readonly manages: boolean;
}

/** What the caller may do in the thread, or the refusal for one who cannot see it. */
const inThreadAs = (command: ChannelActor, state: ChannelState): InThread | Decision => {
  const rights = rightsIn(state, command);
  const refusal = denied(rights, 0n);
  if (refusal !== undefined) return refusal;
  const thread = state.settings?.thread;
  if (thread === undefined) return refuse('wrongChannelType');
  return { thread, rights, manages: allows(rights, Permission.manageThreads) };
};

const NOTHING_SET: ThreadDetails = {
  ...{ name: '', archived: false, locked: false, invitable: true, autoArchive: 0, archiveTime: 0 },
};

/** What a change asks for that is not so already. */
const changesOf = (former: ThreadDetails, wanted: ThreadDetails): readonly string[] =>
  (Object.keys(former) as (keyof ThreadDetails)[]).filter((field) => former[field] !== wanted[field]);

export const editThread = (
  command: OnThread & {
    readonly patch: Patch<Omit<ThreadDetails, 'archiveTime'>>;
    /** The clock, in milliseconds since 1970. */
    readonly now: number;
    /** Whether the guild has as many active threads as it may have. */
    readonly isFull: boolean;
  },
  state: ChannelState,
): Decision => {
  const found = inThreadAs(command, state);
  if (isDecision(found)) return found;
  const { thread, rights, manages } = found;
  const { patch, now, key, userId, isFull } = command;
  const former = thread.details;
  const wanted = { ...patched(former, patch, NOTHING_SET), archiveTime: former.archiveTime };
  const changed = changesOf(former, wanted);
  const unarchives = former.archived && !wanted.archived;
  const only = (...fields: readonly string[]) => changed.every((field) => fields.includes(field));
  // Whoever may write in it may unarchive it.
  const writes = allows(rights, Permission.sendMessages) && patch.archived === false && only('archived');
  const owns = thread.ownerId === userId && only('name', 'archived', 'autoArchive', 'invitable');
  if (!manages && !owns && !writes) return refuse('missingPermissions');
  if (state.keys.has(key) || changed.length === 0) return nothing;
  if (!manages && former.locked && unarchives) return refuse('threadLocked');
  if (former.archived && !unarchives && !only('locked')) return refuse('threadArchived');
  if (unarchives && isFull) return refuse('maximumThreads');
  const details = wanted.archived === former.archived ? wanted : { ...wanted, archiveTime: now };
  return happen(threadEdited(thread, state, details));
};

export const deleteThread = (command: OnThread, state: ChannelState): Decision => {
  if (state.settings?.isDeleted === true && state.keys.has(command.key)) return nothing;
  const found = inThreadAs(command, state);
  if (isDecision(found)) return found;
  const { thread, manages } = found;
  if (!manages) return refuse('missingPermissions');
  return happen({ type: 'thread-deleted', data: { ...inThread(thread, state), isPrivate: thread.isPrivate } });
};

/** @param command.target who is to be in it; `undefined`: nobody who may see the parent */
export const addToThread = (
  command: OnThread & {
    readonly targetId: string;
    readonly target: MemberRights | undefined;
    readonly now: number;
  },
  state: ChannelState,
): Decision => {
  const found = inThreadAs(command, state);
  if (isDecision(found)) return found;
  const { thread, rights, manages } = found;
  const { userId, targetId, target, now, key } = command;
  const isOwn = targetId === userId;
  const mayAdd = manages || thread.ownerId === userId || !thread.isPrivate || thread.details.invitable;
  if (!isOwn && !(mayAdd && allows(rights, Permission.sendMessages))) return refuse('missingPermissions');
  if (state.keys.has(key)) return nothing;
  const archived = deniedInArchive(state);
  if (archived !== undefined) return archived;
  if (target === undefined) return refuse('unknownMember');
  const stay = target.joinedAt ?? 0;
  const known = thread.members[targetId];
  if (known?.stay === stay) return nothing;
  if (known === undefined && Object.keys(thread.members).length >= MAX_THREAD_MEMBERS)
    return refuse('maximumThreadMembers');
  const added = [{ userId: targetId, joinedTime: now, stay }];
  return happen(threadMembersChanged(thread, state, { added, removed: [] }));
};

export const removeFromThread = (command: OnThread & { readonly targetId: string }, state: ChannelState): Decision => {
  const found = inThreadAs(command, state);
  if (isDecision(found)) {
    // Whoever left a private thread cannot see it any more.
    return state.keys.has(command.key) ? nothing : found;
  }
  const { thread, manages } = found;
  const { userId, targetId, key } = command;
  if (targetId !== userId && !manages && !(thread.isPrivate && thread.ownerId === userId))
    return refuse('missingPermissions');
  if (state.keys.has(key)) return nothing;
  const archived = deniedInArchive(state);
  if (archived !== undefined) return archived;
  if (thread.members[targetId] === undefined) return nothing;
  return happen(threadMembersChanged(thread, state, { added: [], removed: [targetId] }));
};

const MINUTE_MS = 60_000;

/** When a thread is archived if nothing more is said in it, in milliseconds since 1970. */
export const archivedAt = ({ autoArchive, archiveTime }: ThreadDetails, lastMessageTime: number): number =>
  Math.max(archiveTime, lastMessageTime) + autoArchive * MINUTE_MS;

/** Archives a thread in which nothing was said for as long as it is set to. @param now milliseconds since 1970 */
export const archiveQuiet = (now: number, state: ChannelState): Decision => {
  const thread = state.settings?.thread;
  if (thread === undefined || state.settings!.isDeleted || thread.details.archived) return nothing;
  if (now < archivedAt(thread.details, state.headTime)) return nothing;
  return happen(threadEdited(thread, state, { ...thread.details, archived: true, archiveTime: now }));
};

export const lastMessageTime = (messageId: string | null): number =>
  messageId === null ? 0 : snowflakeTime(messageId);
