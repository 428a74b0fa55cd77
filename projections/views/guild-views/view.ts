/** Guilds, channels, members, invites and users, with their permissions. */

import { isDeepStrictEqual } from 'node:util';
import { firstDetails } from '../../../domain/guild.ts';
import { type RelationshipType, relationOf } from '../../../domain/relationship.ts';
import type { Sealed } from '../../../schemas/envelope.ts';
import {
  type ByType,
  type EventData,
  type EventOf,
  handlerOf,
  type ParleyEvent,
  type TypesChanging,
} from '../../../schemas/events/catalogue.ts';
import { type AnyKind, type ChannelDetails, type Overwrite, PLAIN } from '../../../schemas/events/channel.ts';
import type { Group } from '../../../schemas/events/group.ts';
import { type GuildDetails, NOT_PAUSED, type Pauses, PLAIN_GUILD, type Role } from '../../../schemas/events/guild.ts';
import type { GuildNotifications } from '../../../schemas/events/settings.ts';
import type { ThreadDetails } from '../../../schemas/events/thread.ts';
import { GOOD_STANDING, type SignedOut, type Standing } from '../../../schemas/events/user.ts';
import type { Soon } from '../../../schemas/soon.ts';
import {
  channelSubject,
  guildSubject,
  memberSubject,
  type Relation,
  type Revision,
  type RevisionOfChannel,
  type RevisionOfThread,
  relationsSubject,
  type SealedNick,
  settingsSubject,
  threadSubject,
} from './revisions.ts';

export interface GuildRow extends GuildDetails {
  readonly id: string;
  readonly ownerId: string;
  /** Permissions of @everyone as a decimal string. */
  readonly everyone: string;
  /** All others, the lowest first. */
  readonly roles: readonly Role[];
  readonly memberCount: number;
  readonly pauses: Pauses;
  /** Readers leave it out: it is as unknown as one that never was. */
  readonly isDeleted?: boolean;
}

/** What a thread has beyond what every channel has. */
export interface ThreadRow {
  readonly parentId: string;
  readonly isPrivate: boolean;
  readonly ownerId: string;
  /** The message of its parent that it begins at has its id; false: it begins at none. */
  readonly isStarted: boolean;
  readonly details: ThreadDetails;
  /** Milliseconds since 1970. */
  readonly createdTime: number;
  /** By user id, also people who have left the guild since. */
  readonly members: Readonly<Record<string, ThreadStay>>;
  /** How many of its messages are deleted. */
  readonly deleted: number;
  /** The channel that it is in, where somebody has looked it up: without it nobody has rights here. */
  readonly parent?: ChannelRow | undefined;
}

/** Since when somebody is in a thread. */
export interface ThreadStay {
  /** Milliseconds since 1970. */
  readonly joinedTime: number;
  /** Position at which the person had joined the guild. */
  readonly stay: number;
}

export interface ChannelRow {
  readonly id: string;
  readonly kind: AnyKind;
  readonly thread?: ThreadRow;
  readonly guildId: string | null;
  readonly name: string | null;
  readonly topic: string | null;
  readonly nsfw: boolean;
  /** Id of its category. */
  readonly parentId: string | null;
  /** Seconds from one message of a person to their next; 0: none. */
  readonly slowmode: number;
  readonly overwrites: readonly Overwrite[];
  /** The people of a direct channel, in the order in which they came. */
  readonly participants: readonly string[];
  /** Of a group. */
  readonly ownerId?: string;
  /** Positions at which people came into a group, by user id; absent: those who were in it from the beginning. */
  readonly cameAt?: Readonly<Record<string, number>>;
  /** Place in the guild's list, from 0: the one given, or that in order of creation. Of equals the older is first. */
  readonly order: number;
  /** Position of the event that created it. */
  readonly createdAt: number;
  /** It keeps its place in the list, and nobody sees it. */
  readonly isDeleted?: boolean;
}

/** The row of a channel as its event made it. @param order its place in the guild's list */
export const rowOfChannel = (
  { channelId: id, position, ...data }: EventData<'channel-created'>,
  createdAt: number,
  order = 0,
): ChannelRow => ({
  ...{ id, kind: data.kind, guildId: data.guildId, name: data.name, topic: data.topic, nsfw: data.nsfw },
  ...{ parentId: data.parentId, slowmode: data.slowmode, overwrites: data.overwrites },
  ...{ participants: data.participants, order: position ?? order, createdAt },
  ...(data.kind === 'group' ? { ownerId: data.participants[0]! } : {}),
});

/** A group as one of its events left it. */
export const groupAs = (channel: ChannelRow, { name, ownerId, participants }: Group): ChannelRow => ({
  ...channel,
  ...{ name, ownerId, participants },
});

/** Of a group of which only an event is at hand. */
export const rowOfGroup = (channelId: string, group: Group): ChannelRow =>
  groupAs(
    {
      ...{ id: channelId, kind: 'group', guildId: null, name: null, topic: null, overwrites: [], participants: [] },
      ...PLAIN,
      ...{ order: 0, createdAt: 0 },
    },
    group,
  );

/** The position at which somebody came into a direct channel. */
export const cameAt = ({ cameAt: positions, createdAt }: ChannelRow, userId: string): number =>
  positions?.[userId] ?? createdAt;

/** The row of a thread as its event made it. */
export const rowOfThread = (
  data: EventData<'thread-created'>,
  { time, position }: { readonly time: number; readonly position: number },
): ChannelRow => {
  const { channelId: id, guildId, parentId, isPrivate, details, creator, startedAt } = data;
  const { userId: ownerId, joinedTime, stay } = creator;
  return {
    ...{ id, kind: 'thread', guildId, name: details.name, topic: null, overwrites: [], participants: [] },
    ...PLAIN,
    ...{ order: 0, createdAt: position },
    thread: {
      ...{ parentId, isPrivate, ownerId, isStarted: startedAt !== null, details, createdTime: time },
      ...{ members: { [ownerId]: { joinedTime, stay } }, deleted: 0 },
    },
  };
};

/** @param details absent: as they are */
export const withDetails = (channel: ChannelRow, details: ChannelDetails | undefined): ChannelRow => {
  if (details === undefined) return channel;
  const { position, ...others } = details;
  return { ...channel, ...others, order: position ?? channel.order };
};

/** A guild as its event made it. */
export const rowOfGuild = (
  { id, name, ownerId, everyone }: Pick<GuildRow, 'id' | 'name' | 'ownerId' | 'everyone'>,
  memberCount = 0,
): GuildRow => ({
  ...{ id, name, description: null, ...PLAIN_GUILD, ownerId, everyone, roles: [], memberCount, pauses: NOT_PAUSED },
});

export interface MemberRow {
  readonly guildId: string;
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly joinedTime: number;
  /** Position of the event of joining. */
  readonly joinedAt: number;
  /** Ids, also of roles that are deleted since. */
  readonly roles: readonly string[];
  readonly nick: SealedNick | null;
  /** Milliseconds since 1970, which may be over; null: not timed out. */
  readonly timedOutUntil: number | null;
}

/** What a membership begins with. */
export const NEW_MEMBER = { roles: [], nick: null, timedOutUntil: null } as const;

/** A membership as its event made it. */
export const rowOfMember = ({ data: { guildId, userId }, time, position }: EventOf<'member-joined'>): MemberRow => ({
  ...{ guildId, userId, joinedTime: time, joinedAt: position, ...NEW_MEMBER },
});

/** A membership, kept after its end. `joinedAt` and `leftAt` are positions; `leftAt` is null while it lasts. */
export interface Membership {
  readonly guildId: string;
  readonly joinedAt: number;
  readonly leftAt: number | null;
}

export interface UserRow {
  readonly id: string;
  readonly kind: 'person' | 'bot' | 'imported';
  readonly ownerId: string | null;
  /** Decrypts to `Profile`; sealed in event `sealedIn` of stream `user-<id>`. */
  readonly sealed: Sealed;
  readonly sealedIn: string;
  readonly signedOut: SignedOut;
  readonly standing: Standing;
}

/** What may change about a user after the registration: see `user_revisions`. */
export interface UserFields {
  readonly profile?: Pick<UserRow, 'sealed' | 'sealedIn'>;
  readonly standing?: Standing;
  /** Absent: only the first person does. */
  readonly administers?: boolean;
}

/** A user as their event made them. */
export const rowOfUser = (user: Omit<UserRow, 'signedOut' | 'standing'>, signedOut: SignedOut): UserRow => ({
  ...user,
  signedOut,
  standing: GOOD_STANDING,
});

/** @param fields the latest value of each */
export const revisedUser = (user: UserRow, { profile, standing = user.standing }: UserFields): UserRow => ({
  ...user,
  ...profile,
  standing,
});

export interface InviteRow {
  readonly code: string;
  readonly guildId: string;
  readonly channelId: string;
  readonly inviterId: string;
  readonly maxUses: number;
  readonly uses: number;
  readonly createdTime: number;
  readonly expiresAt: number | null;
}

/** Of what a person is notified. */
export interface NotificationsRow {
  /** Null: of direct messages. */
  readonly guildId: string | null;
  readonly notifications: GuildNotifications;
}

/** How a person stands to another. */
export interface RelationshipRow extends Relation {
  readonly userId: string;
}

export interface GuildReader {
  guild(id: string): Soon<GuildRow | undefined>;
  channel(id: string): Soon<ChannelRow | undefined>;
  /** In list order, with those that are deleted. */
  channelsOf(guildId: string): Promise<readonly ChannelRow[]>;
  /**
   * Threads of a guild that are active.
   * @param since a position: with those that were active at some time beyond it
   */
  threadsOf(guildId: string, since?: number): Promise<readonly ChannelRow[]>;
  /** Active threads of all guilds in order of id, beyond `after`. */
  activeThreads(query: { after?: string; limit: number }): Promise<readonly ChannelRow[]>;
  /** A channel's archived threads, the last archived first, or by id. */
  archivedThreads(query: ArchiveQuery): Promise<readonly ArchivedThread[]>;
  member(guildId: string, userId: string): Soon<MemberRow | undefined>;
  /** In order of user id, beyond `after`. */
  members(guildId: string, query: { after?: string; limit: number }): Promise<readonly MemberRow[]>;
  /** Guilds the user is in now, in order of joining. */
  guildsOf(userId: string): Promise<readonly GuildRow[]>;
  /** Every membership that lasts or that ended beyond position `since`. */
  memberships(userId: string, since: number): Promise<readonly Membership[]>;
  /** Direct channels the user takes part in, in order of creation. */
  directChannelsOf(userId: string): Promise<readonly ChannelRow[]>;
  user(id: string): Promise<UserRow | undefined>;
  users(ids: readonly string[]): Promise<readonly UserRow[]>;
  /** `undefined` also for one that is deleted. */
  invite(code: string): Promise<InviteRow | undefined>;
  /** Those of a guild that are not deleted, by code. */
  invitesOf(guildId: string): Promise<readonly InviteRow[]>;
  /** Guilds that anybody finds, the latest to be so first. */
  publicGuilds(limit: number): Promise<readonly GuildRow[]>;
  /** How many bots the user has created. */
  countApplications(ownerId: string): Promise<number>;
  /** How many of the user's invites to the guild admit somebody at `now`, in milliseconds since 1970. */
  countOpenInvites(guildId: string, inviterId: string, now: number): Promise<number>;
  /** How the user stands to others, in order of their ids. */
  relationships(userId: string): Promise<readonly RelationshipRow[]>;
  /** How some people stand to the user; no entry for those who do not. */
  relationsTo(userId: string, people: readonly string[]): Promise<ReadonlyMap<string, RelationshipType>>;
  /** Of what the user is notified, in order of the guilds' ids; nothing of guilds where they never said. */
  notifications(userId: string): Promise<readonly NotificationsRow[]>;
  /** The first person who registered, who administers the installation unless they were removed. */
  administrator(): Promise<string | undefined>;
  /** Those who administer the installation, the first person first. */
  administrators(): Promise<readonly string[]>;
  /** Whose accounts are to be deleted, and when, in milliseconds since 1970. */
  leaving(): Promise<readonly Leaving[]>;
  /** A guild as it was at an earlier position, for somebody who was a member then. */
  past(guildId: string, userId: string, position: number): Promise<PastGuild | undefined>;
  /** What changed about guilds, their channels and one of their members, in position order. */
  revisions(userId: string, query: RevisionsQuery): Promise<readonly Revision[]>;
}

/** Members of a page. */
const MEMBER_PAGE = 1000;

/** The members of a guild by user id. A page is read when it is asked for; only the last holds fewer members, or none. */
export async function* memberPages(
  guilds: Pick<GuildReader, 'members'>,
  guildId: string,
): AsyncGenerator<readonly MemberRow[]> {
  for (let after: string | undefined; ; ) {
    const page = await guilds.members(guildId, { limit: MEMBER_PAGE, ...(after === undefined ? {} : { after }) });
    yield page;
    if (page.length < MEMBER_PAGE) return;
    after = page.at(-1)!.userId;
  }
}

export interface Leaving {
  readonly userId: string;
  readonly due: number;
}

export interface ArchiveQuery {
  readonly parentId: string;
  readonly isPrivate: boolean;
  /** Only threads that this person has joined, and by id in place of time. */
  readonly joinedBy?: string;
  /** Archived before, in milliseconds since 1970; with `joinedBy` an id. */
  readonly before?: number | string;
  /** By time there are more, where others were archived at the time of the last one. */
  readonly limit: number;
}

export interface ArchivedThread {
  readonly id: string;
  /** When it was archived, in milliseconds since 1970. */
  readonly time: number;
}

export interface PastGuild {
  readonly guild: GuildRow;
  readonly member: MemberRow;
  /** In list order, also those that the member could not see. */
  readonly channels: readonly ChannelRow[];
  /** Those that were active. */
  readonly threads: readonly ChannelRow[];
}

/** @param then a reader as of the position */
export const pastGuild = async (
  then: Pick<GuildReader, 'guild' | 'member' | 'channelsOf' | 'threadsOf'>,
  guildId: string,
  userId: string,
): Promise<PastGuild | undefined> => {
  const [guild, member, channels, threads] = await Promise.all([
    then.guild(guildId),
    then.member(guildId, userId),
    then.channelsOf(guildId),
    then.threadsOf(guildId),
  ]);
  return guild === undefined || member === undefined ? undefined : { guild, member, channels, threads };
};

export interface RevisionsQuery {
  readonly guildIds: readonly string[];
  /** A position. */
  readonly after: number;
  readonly limit: number;
}

export type GuildChange =
  | {
      readonly kind: 'guild-added';
      readonly guild: Pick<GuildRow, 'id' | 'name' | 'ownerId' | 'everyone'>;
      readonly position: number;
    }
  /** The place of a guild's channel depends on the others. */
  | { readonly kind: 'channel-added'; readonly channel: ChannelRow }
  /** Somebody came into a group. */
  | { readonly kind: 'recipient-added'; readonly channelId: string; readonly userId: string; readonly position: number }
  | { readonly kind: 'thread-added'; readonly thread: ChannelRow; readonly position: number }
  /** Adding a thread makes it active. */
  | ({ readonly kind: 'thread-active' } & ThreadSpanChange)
  | ({ readonly kind: 'thread-archived' } & ThreadSpanChange)
  | { readonly kind: 'member-joined'; readonly member: MemberRow }
  | { readonly kind: 'member-left'; readonly guildId: string; readonly userId: string; readonly position: number }
  | ({ readonly kind: 'revised' } & Revision)
  | {
      readonly kind: 'user-added';
      readonly user: Omit<UserRow, 'signedOut' | 'standing'>;
      readonly position: number;
    }
  | ({ readonly kind: 'user-revised'; readonly userId: string; readonly position: number } & UserField)
  | {
      readonly kind: 'user-signed-out';
      readonly userId: string;
      readonly signedOut: SignedOut;
      readonly position: number;
    }
  | { readonly kind: 'invite-added'; readonly invite: Omit<InviteRow, 'uses'>; readonly position: number }
  | { readonly kind: 'invite-removed'; readonly code: string; readonly guildId: string; readonly position: number }
  /**
   * A capped invite records every use itself. For the others only the joining events tell. `capped` says which kind
   * this is.
   */
  | {
      readonly kind: 'invite-used';
      readonly code: string;
      readonly guildId: string;
      readonly capped: boolean;
      readonly position: number;
    };

type UserField = {
  readonly [K in keyof UserFields]-?: { readonly field: K; readonly value: NonNullable<UserFields[K]> };
}[keyof UserFields];

/**
 * @param first the first person
 * @param named whom administrators named and removed, in the order in which they did
 */
export const administratorsOf = (
  first: string | undefined,
  named: readonly (readonly [userId: string, administers: boolean])[],
): readonly string[] => {
  const all = new Set(first === undefined ? [] : [first]);
  for (const [userId, administers] of named) {
    if (administers) all.add(userId);
    else all.delete(userId);
  }
  return [...all];
};
interface ThreadSpanChange {
  readonly threadId: string;
  readonly guildId: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly position: number;
}

export interface GuildWriter {
  apply(changes: readonly GuildChange[]): void | Promise<void>;
}

// Maps events to changes of the guild views.

type ThreadType = 'thread-edited' | 'thread-members-changed' | 'thread-shrank' | 'thread-deleted';

const ofThread = ({
  data,
  position,
}: {
  readonly data: EventData<'thread-deleted' | 'thread-edited'>;
  readonly position: number;
}) => ({ threadId: data.channelId, guildId: data.guildId, position }) as const;

const revisedThread = (
  { data: { channelId, guildId }, position }: EventOf<ThreadType>,
  revision: RevisionOfThread,
): GuildChange => ({ kind: 'revised', guildId, subject: threadSubject(channelId), ...revision, position });

const revisedGroup = (channelId: string, position: number, revision: RevisionOfChannel): GuildChange => ({
  ...{ kind: 'revised', guildId: channelId, subject: channelSubject(channelId) },
  ...revision,
  position,
});

const revisedRole = (guildId: string, role: Role, position: number): GuildChange => ({
  ...{ kind: 'revised', guildId, subject: guildSubject(guildId) },
  ...{ field: `role:${role.id}`, value: role, position },
});

const changesOf: ByType<TypesChanging<'guild-views'>, [], readonly GuildChange[]> = {
  'guild-created': ({ data, position }) => {
    const { guildId: id, name, ownerId, everyone } = data;
    const added: GuildChange = { kind: 'guild-added', guild: { id, name, ownerId, everyone }, position };
    if (data.systemChannelId === null) return [added];
    // The tables hold of a new guild what guilds of former versions begin with.
    const value = firstDetails(data);
    return [added, { kind: 'revised', guildId: id, subject: guildSubject(id), field: 'details', value, position }];
  },
  'channel-created': ({ data, position }) => {
    const { channelId, guildId, name, topic, nsfw, position: place, parentId, slowmode } = data;
    const added: GuildChange = { kind: 'channel-added', channel: rowOfChannel(data, position) };
    const placed = { nsfw, position: place, parentId, slowmode };
    if (guildId === null || isDeepStrictEqual(placed, PLAIN)) return [added];
    // The tables hold of a new channel what all channels have; the rest is its first revision.
    const value = { name: name ?? '', topic, ...placed };
    return [added, { kind: 'revised', guildId, subject: channelSubject(channelId), field: 'details', value, position }];
  },
  'channel-edited': ({ data: { guildId, channelId, details }, position }) => [
    { kind: 'revised', guildId, subject: channelSubject(channelId), field: 'details', value: details, position },
  ],
  'channel-deleted': ({ data: { guildId, channelId }, position }) => [
    { kind: 'revised', guildId, subject: channelSubject(channelId), field: 'isDeleted', value: true, position },
  ],
  'recipient-added': ({ data: { channelId, userId }, position }) => [
    { kind: 'recipient-added', channelId, userId, position },
    revisedGroup(channelId, position, { field: `recipient:${userId}`, value: position }),
  ],
  'recipient-removed': ({ data: { channelId, userId }, position }) => [
    revisedGroup(channelId, position, { field: `recipient:${userId}`, value: null }),
  ],
  'group-edited': ({ data: { channelId, group }, position }) => [
    revisedGroup(channelId, position, { field: 'name', value: group.name }),
    revisedGroup(channelId, position, { field: 'ownerId', value: group.ownerId }),
  ],
  'thread-created': ({ data, time, position }) => [
    { kind: 'thread-added', thread: rowOfThread(data, { time, position }), position },
  ],
  'thread-edited': (event) => {
    const { details, wasArchived } = event.data;
    const revised = revisedThread(event, { field: 'details', value: details });
    if (details.archived === wasArchived) return [revised];
    const kind = details.archived ? 'thread-archived' : 'thread-active';
    return [{ kind, ...ofThread(event), time: details.archiveTime }, revised];
  },
  'thread-members-changed': (event) => [
    ...event.data.added.map(({ userId, joinedTime, stay }) =>
      revisedThread(event, { field: `joined:${userId}`, value: { joinedTime, stay } }),
    ),
    ...event.data.removed.map((userId) => revisedThread(event, { field: `joined:${userId}`, value: null })),
  ],
  'thread-shrank': (event) => [revisedThread(event, { field: 'deleted', value: event.data.deleted })],
  'thread-deleted': (event) => [
    { kind: 'thread-archived', ...ofThread(event), time: event.time },
    revisedThread(event, { field: 'isDeleted', value: true }),
  ],
  'guild-edited': ({ data: { guildId, details }, position }) => [
    { kind: 'revised', guildId, subject: guildSubject(guildId), field: 'details', value: details, position },
  ],
  'guild-transferred': ({ data: { guildId, ownerId }, position }) => [
    { kind: 'revised', guildId, subject: guildSubject(guildId), field: 'ownerId', value: ownerId, position },
  ],
  'guild-paused': ({ data: { guildId, pauses }, position }) => [
    { kind: 'revised', guildId, subject: guildSubject(guildId), field: 'pauses', value: pauses, position },
  ],
  'guild-deleted': ({ data: { guildId }, position }) => [
    { kind: 'revised', guildId, subject: guildSubject(guildId), field: 'isDeleted', value: true, position },
  ],
  'member-joined': (event) => {
    const { position } = event;
    const { invite, guildId } = event.data;
    const joined: GuildChange = { kind: 'member-joined', member: rowOfMember(event) };
    return invite === null
      ? [joined]
      : [joined, { kind: 'invite-used', code: invite, guildId, capped: false, position }];
  },
  'member-left': ({ data: { guildId, userId }, position }) => [{ kind: 'member-left', guildId, userId, position }],
  'role-created': ({ data: { guildId, role }, position }) => [revisedRole(guildId, role, position)],
  'role-edited': ({ data: { guildId, role }, position }) => [revisedRole(guildId, role, position)],
  'roles-moved': ({ data: { guildId, roles }, position }) => roles.map((role) => revisedRole(guildId, role, position)),
  'role-deleted': ({ data: { guildId, roleId }, position }) => [
    { kind: 'revised', guildId, subject: guildSubject(guildId), field: `role:${roleId}`, value: null, position },
  ],
  'member-roles-changed': ({ data: { guildId, userId, roles }, position }) => [
    { kind: 'revised', guildId, subject: memberSubject(guildId, userId), field: 'roles', value: roles, position },
  ],
  'member-renamed': ({ id: sealedIn, data: { guildId, userId, sealed }, position }) => [
    {
      ...{ kind: 'revised', guildId, subject: memberSubject(guildId, userId) },
      ...{ field: 'nick', value: { sealed, sealedIn }, position },
    },
  ],
  'member-timed-out': ({ data: { guildId, userId, until }, position }) => [
    {
      ...{ kind: 'revised', guildId, subject: memberSubject(guildId, userId) },
      ...{ field: 'timedOutUntil', value: until, position },
    },
  ],
  'overwrite-set': ({ data: { guildId, channelId, overwrite }, position }) => [
    {
      ...{ kind: 'revised', guildId, subject: channelSubject(channelId) },
      ...{ field: `overwrite:${overwrite.id}`, value: overwrite, position },
    },
  ],
  'overwrite-deleted': ({ data: { guildId, channelId, overwriteId }, position }) => [
    {
      ...{ kind: 'revised', guildId, subject: channelSubject(channelId) },
      ...{ field: `overwrite:${overwriteId}`, value: null, position },
    },
  ],
  'user-registered': ({ id: sealedIn, data, position }) => {
    const { userId: id, kind, ownerId, sealed } = data;
    return [{ kind: 'user-added', user: { id, kind, ownerId, sealed, sealedIn }, position }];
  },
  'user-signed-out': ({ data: { userId, generation, signIns }, position }) => [
    { kind: 'user-signed-out', userId, signedOut: { generation, signIns }, position },
  ],
  'user-profile-changed': ({ id: sealedIn, data: { userId, sealed }, position }) => [
    { kind: 'user-revised', userId, field: 'profile', value: { sealed, sealedIn }, position },
  ],
  'user-standing-changed': ({ data: { userId, standing }, position }) => [
    { kind: 'user-revised', userId, field: 'standing', value: standing, position },
  ],
  'user-deleted': ({ data: { userId }, position }) => [
    { kind: 'user-revised', userId, field: 'standing', value: { ...GOOD_STANDING, deleted: true }, position },
  ],
  'administrator-changed': ({ data: { userId, administers }, position }) => [
    { kind: 'user-revised', userId, field: 'administers', value: administers, position },
  ],
  'relationship-changed': ({ data: { people, former, bond }, time: since, position }) =>
    people.flatMap((userId, n) => {
      const type = relationOf(userId, bond);
      if (type === relationOf(userId, former)) return [];
      const field = `relation:${people[1 - n]!}` as const;
      const value = type === undefined ? null : { type, since };
      return [{ kind: 'revised', guildId: userId, subject: relationsSubject(userId), field, value, position }];
    }),
  'notifications-changed': ({ data: { userId, guildId, notifications: value }, position }) => [
    {
      ...{ kind: 'revised', guildId: userId, subject: settingsSubject(userId) },
      ...{ field: `guild:${guildId ?? ''}`, value, position },
    },
  ],
  'invite-created': ({ data, time: createdTime, position }) => {
    const { code, guildId, channelId, inviterId, maxUses, expiresAt } = data;
    const invite = { code, guildId, channelId, inviterId, maxUses, expiresAt, createdTime };
    return [{ kind: 'invite-added', invite, position }];
  },
  'invite-deleted': ({ data: { code, guildId }, position }) => [{ kind: 'invite-removed', code, guildId, position }],
  'invite-redeemed': ({ data: { code, guildId }, position }) => [
    { kind: 'invite-used', code, guildId, capped: true, position },
  ],
};

const NO_CHANGES: readonly GuildChange[] = [];

export const guildChanges = (events: readonly ParleyEvent[]): readonly GuildChange[] => {
  const changes: GuildChange[] = [];
  for (const event of events)
    for (const change of handlerOf(changesOf, event)?.(event) ?? NO_CHANGES) changes.push(change);
  return changes;
};
