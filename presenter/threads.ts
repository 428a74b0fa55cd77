/** Threads as clients see them. */

import { isInThread } from '../domain/permissions.ts';
import type { ChannelRow, MemberRow, ThreadRow, ThreadStay } from '../projections/views/guild-views/view.ts';
import type { ChannelHead } from '../projections/views/unread/view.ts';
import { pinTimestamp } from './guilds.ts';
import type { ApiChannel, ApiMember, ApiThreadMember } from './shapes.ts';
import { wireTime } from './time.ts';

const PUBLIC = 11;
const PRIVATE = 12;

export type Thread = ChannelRow & { readonly thread: ThreadRow };

export const isThread = (row: ChannelRow): row is Thread => row.thread !== undefined;

const threadType = ({ isPrivate }: Pick<ThreadRow, 'isPrivate'>) => (isPrivate ? PRIVATE : PUBLIC);

export const presentThreadMember = (
  threadId: string,
  userId: string,
  { joinedTime }: Pick<ThreadStay, 'joinedTime'>,
  member?: ApiMember,
): ApiThreadMember => ({
  ...{ id: threadId, user_id: userId, join_timestamp: wireTime(joinedTime), flags: 0 },
  ...(member === undefined ? {} : { member }),
});

/** What a thread is at one moment, without what is said in it and who is in it. */
export const presentThreadItself = ({ id, guildId, name, thread }: Thread) => {
  const { details, isPrivate } = thread;
  return {
    id,
    type: threadType(thread),
    ...(guildId === null ? {} : { guild_id: guildId }),
    parent_id: thread.parentId,
    owner_id: thread.ownerId,
    name,
    rate_limit_per_user: 0,
    flags: 0,
    thread_metadata: {
      archived: details.archived,
      auto_archive_duration: details.autoArchive,
      archive_timestamp: wireTime(details.archiveTime),
      locked: details.locked,
      create_timestamp: wireTime(thread.createdTime),
      ...(isPrivate ? { invitable: details.invitable } : {}),
    },
  } as const;
};

/** The `d` of a THREAD_DELETE. */
export const presentEndedThread = ({ id, guildId, thread }: Thread) => ({
  ...{ id, guild_id: guildId, parent_id: thread.parentId, type: threadType(thread) },
});

/** The message that a thread begins with, if it begins at one, does not count. */
export const messageCounts = ({ thread: { isStarted, deleted } }: Thread, posted: number) => {
  const sent = Math.max(0, posted - (isStarted ? 1 : 0));
  return { message_count: Math.max(0, sent - deleted), total_message_sent: sent };
};

/** @param viewer whose own membership is shown; `undefined`: nobody's */
export const presentThread = (
  row: Thread,
  {
    head,
    lastPinned,
    viewer,
  }: {
    readonly head?: Pick<ChannelHead, 'messageId' | 'ordinal'> | undefined;
    readonly lastPinned?: number | undefined;
    readonly viewer?: Pick<MemberRow, 'userId' | 'joinedAt'> | undefined;
  },
): ApiChannel => {
  const { members } = row.thread;
  const own = viewer !== undefined && isInThread(row.thread, { ...viewer, roles: [] }) && members[viewer.userId];
  return {
    ...presentThreadItself(row),
    last_message_id: head?.messageId ?? null,
    last_pin_timestamp: pinTimestamp(lastPinned),
    ...messageCounts(row, head?.ordinal ?? 0),
    member_count: Object.keys(members).length,
    ...(own ? { member: presentThreadMember(row.id, viewer.userId, own) } : {}),
  };
};
