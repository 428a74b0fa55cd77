/**
 * The audit log of each guild: who did what, and what it changed. Each record says what something is from then on, so that
 * the next about the same thing knows what it was. All records about a thing come from one stream.
 */

import {
  AuditAction,
  type AuditReason,
  type AuditSubject,
  type AuditValues,
  kindOf,
  type LoggedInvite,
  roleSubject,
} from '../../../domain/audit-log.ts';
import { firstDetails } from '../../../domain/guild.ts';
import { everyoneOf } from '../../../domain/roles.ts';
import { snowflakeAt } from '../../../domain/snowflake.ts';
import {
  auditedIn,
  type ByType,
  type EventOf,
  handlerOf,
  type ParleyEvent,
  type TypesChanging,
} from '../../../schemas/events/catalogue.ts';
import type { Overwrite } from '../../../schemas/events/channel.ts';
import type { Role } from '../../../schemas/events/guild.ts';
import { channelIdOf } from '../../../schemas/streams.ts';

/** What of an entry is not compared with anything. */
export interface AuditAbout {
  readonly targetId: string | null;
  /** Numbers in Discord's form are text. */
  readonly options?: Readonly<Record<string, string>>;
  /** The type of a thread, which never changes. */
  readonly type?: number;
  readonly reason?: AuditReason;
}

export interface AuditRecord {
  readonly kind: 'audited';
  readonly guildId: string;
  readonly subject: AuditSubject;
  readonly position: number;
  /** Of the entry: a snowflake of the event's time. */
  readonly id: string;
  /** 0: no entry, only what later ones need to know. */
  readonly action: AuditAction | 0;
  readonly actorId: string;
  /** What the thing is from then on, as its kind has it; null: it is no more. */
  readonly value: unknown;
  readonly about: AuditAbout;
}

/** An entry with what the thing was before. */
export interface AuditRow extends Omit<AuditRecord, 'kind'> {
  readonly former: unknown;
}

/** Entries with higher ids than `after`, the lowest first; otherwise those with lower ids than `before`, the highest first. */
export interface AuditQuery {
  readonly actorId?: string;
  readonly action?: number;
  readonly before?: string;
  readonly after?: string;
  readonly limit: number;
}

/** What a record says of a thing, and what the one before it said. */
export interface Known {
  readonly value: unknown;
  readonly former: unknown;
}

export interface AuditReader {
  entries(guildId: string, query: AuditQuery): Promise<readonly AuditRow[]>;
  /** The last record of each of these things before a position; no entry where there is none. */
  known(guildId: string, subjects: readonly AuditSubject[], before: number): Promise<ReadonlyMap<string, Known>>;
}

/** An overwrite that was not there before is created. */
export const actionAfter = (action: AuditRecord['action'], former: unknown): AuditRecord['action'] =>
  action === AuditAction.overwriteUpdate && former === null ? AuditAction.overwriteCreate : action;

/** @param former what the last record before it says of the same thing; null if nothing */
export const rowAfter = ({ kind: _, ...record }: AuditRecord, former: unknown): AuditRow => ({
  ...{ ...record, action: actionAfter(record.action, former), former },
});

/** Why it was done: a guild is handed on for the reason that its owner gave when they wished it. */
export const reasonFor = ({ about: { reason }, subject, former }: AuditRow): AuditReason | null =>
  reason ?? (subject === 'owner' ? ((former as AuditValues['owner'] | null)?.why ?? null) : null);

// What each type of event leaves in the log.

/** A record without what all have. */
interface Draft extends Omit<AuditAbout, 'reason' | 'targetId'> {
  readonly subject: AuditSubject;
  readonly value?: unknown;
  readonly action?: AuditAction;
  readonly targetId?: string | null;
}

/** What was done to a thing of which nothing is said. */
const done = (action: AuditAction, subject: string, more: Omit<Draft, 'subject' | 'action'>): readonly Draft[] => [
  { subject: `done:${subject}`, action, ...more },
];

const { guildUpdate } = AuditAction;

const ofRole = (action: AuditAction, roleId: string, value: Role | null): Draft => ({
  ...{ subject: roleSubject(roleId), action, targetId: roleId, value },
});

const ofOverwrite = (
  action: AuditAction,
  channelId: string,
  { id, type }: Pick<Overwrite, 'id' | 'type'>,
  value: Overwrite | null,
): Draft => ({
  ...{ subject: `overwrite:${channelId}:${id}`, action, targetId: channelId, value },
  options: { id, type: String(type) },
});

const ofMember = (
  kind: 'nick' | 'roles' | 'timeout',
  { userId: targetId }: { readonly userId: string },
  value: unknown,
): Draft => ({
  ...{ subject: `${kind}:${targetId}`, targetId, value },
  action: kind === 'roles' ? AuditAction.memberRoleUpdate : AuditAction.memberUpdate,
});

const PUBLIC_THREAD = 11;
const PRIVATE_THREAD = 12;
const threadType = (isPrivate: boolean): number => (isPrivate ? PRIVATE_THREAD : PUBLIC_THREAD);

const ofMessage = (
  action: AuditAction,
  { stream, data: { messageId, author } }: EventOf<'message-deleted' | 'message-pinned' | 'message-unpinned'>,
  more: Readonly<Record<string, string>>,
): readonly Draft[] =>
  done(action, `message:${messageId}`, { targetId: author, options: { channel_id: channelIdOf(stream)!, ...more } });

const pinned = (action: AuditAction) => (event: EventOf<'message-pinned' | 'message-unpinned'>) =>
  ofMessage(action, event, { message_id: event.data.messageId });

const drafts: ByType<TypesChanging<'audit-log'>, [], readonly Draft[]> = {
  'guild-created': ({ data: { guildId, ownerId, everyone, ...data } }) => [
    { subject: 'details', value: firstDetails(data) },
    { subject: 'owner', value: { ownerId } },
    { subject: roleSubject(guildId), value: everyoneOf({ id: guildId, everyone }) },
  ],
  'guild-edited': ({ data: { guildId: targetId, details: value } }) => [
    { subject: 'details', action: guildUpdate, targetId, value },
  ],
  'transfer-requested': ({ id: eventId, stream, data: { from: ownerId, reason } }) => [
    { subject: 'owner', value: { ownerId, ...(reason && { why: { sealed: reason.sealed, stream, eventId } }) } },
  ],
  'guild-transferred': ({ data: { guildId: targetId, ownerId } }) => [
    { subject: 'owner', action: guildUpdate, targetId, value: { ownerId } },
  ],
  'guild-paused': ({ data: { guildId: targetId, pauses: value } }) => [
    { subject: 'pauses', action: guildUpdate, targetId, value },
  ],
  'role-created': ({ data: { role } }) => [ofRole(AuditAction.roleCreate, role.id, role)],
  'role-edited': ({ data: { role } }) => [ofRole(AuditAction.roleUpdate, role.id, role)],
  'roles-moved': ({ data: { roles } }) => roles.map((role) => ofRole(AuditAction.roleUpdate, role.id, role)),
  'role-deleted': ({ data: { roleId } }) => [ofRole(AuditAction.roleDelete, roleId, null)],

  'channel-requested': ({ data: { channelId, guildId: _, participants: __, reason: ___, ...value } }) => [
    { subject: `new-channel:${channelId}`, action: AuditAction.channelCreate, targetId: channelId, value },
  ],
  'channel-created': ({ data: { channelId, name, topic, nsfw, position, parentId, slowmode, overwrites } }) => [
    { subject: `channel:${channelId}`, value: { name: name ?? '', topic, nsfw, position, parentId, slowmode } },
    ...overwrites.map((value): Draft => ({ subject: `overwrite:${channelId}:${value.id}`, value })),
  ],
  'channel-edited': ({ data: { channelId: targetId, details: value } }) => [
    { subject: `channel:${targetId}`, action: AuditAction.channelUpdate, targetId, value },
  ],
  'channel-deleted': ({ data: { channelId: targetId } }) => [
    { subject: `channel:${targetId}`, action: AuditAction.channelDelete, targetId, value: null },
  ],
  'overwrite-set': ({ data: { channelId, overwrite } }) => [
    ofOverwrite(AuditAction.overwriteUpdate, channelId, overwrite, overwrite),
  ],
  // Of which type it was is seen from what it was.
  'overwrite-deleted': ({ data: { channelId, overwriteId: id } }) => [
    {
      ...{ subject: `overwrite:${channelId}:${id}`, action: AuditAction.overwriteDelete, targetId: channelId },
      ...{ value: null, options: { id } },
    },
  ],
  'thread-created': ({ data: { channelId: targetId, details: value, isPrivate } }) => [
    {
      ...{ subject: `thread:${targetId}`, action: AuditAction.threadCreate, targetId, value },
      type: threadType(isPrivate),
    },
  ],
  'thread-edited': ({ data: { channelId: targetId, details: value } }) => [
    { subject: `thread:${targetId}`, action: AuditAction.threadUpdate, targetId, value },
  ],
  'thread-deleted': ({ data: { channelId: targetId, isPrivate } }) => [
    {
      ...{ subject: `thread:${targetId}`, action: AuditAction.threadDelete, targetId, value: null },
      type: threadType(isPrivate),
    },
  ],

  'member-joined': ({ data: { userId } }) => done(AuditAction.botAdd, `bot:${userId}`, { targetId: userId }),
  // A later membership begins without nickname and roles. A timeout lasts.
  'member-left': ({ data: { userId } }) => [
    ...done(AuditAction.memberKick, `kick:${userId}`, { targetId: userId }),
    { subject: `nick:${userId}`, value: null },
    { subject: `roles:${userId}`, value: [] },
  ],
  'member-banned': ({ data: { userId } }) => done(AuditAction.memberBanAdd, `ban:${userId}`, { targetId: userId }),
  'member-unbanned': ({ data: { userId } }) => done(AuditAction.memberBanRemove, `ban:${userId}`, { targetId: userId }),
  'member-roles-changed': ({ data }) => [ofMember('roles', data, data.roles)],
  'member-renamed': ({ id: sealedIn, data }) => [ofMember('nick', data, { sealed: data.sealed, sealedIn })],
  'member-timed-out': ({ data }) => [ofMember('timeout', data, { until: data.until })],

  'invite-created': ({ time, data: { code, channelId, inviterId, maxUses, expiresAt } }) => {
    const maxAge = expiresAt === null ? 0 : Math.round((expiresAt - time) / 1000);
    const value: LoggedInvite = { code, channelId, inviterId, maxUses, maxAge };
    return [{ subject: `invite:${code}`, action: AuditAction.inviteCreate, targetId: null, value }];
  },
  'invite-deleted': ({ data: { code } }) => [
    { subject: `invite:${code}`, action: AuditAction.inviteDelete, targetId: null, value: null },
  ],

  'message-deleted': (event) => ofMessage(AuditAction.messageDelete, event, { count: '1' }),
  'messages-deleted': ({ stream, position, data: { messages } }) => {
    const targetId = channelIdOf(stream)!;
    const options = { count: String(messages.length) };
    return done(AuditAction.messageBulkDelete, `messages:${position}`, { targetId, options });
  },
  'message-pinned': pinned(AuditAction.messagePin),
  'message-unpinned': pinned(AuditAction.messageUnpin),
};

/** Entries of one event lie so far apart that no other event of the same millisecond comes between them. */
const STRIDE = 16_384n;

/**
 * Two events of one guild and one millisecond lie less than 2^22 positions apart.
 * @param n of the event's records
 */
const idOf = ({ time, position }: ParleyEvent, n: number): string =>
  snowflakeAt(time, BigInt(position) + BigInt(n) * STRIDE);

const NO_RECORDS: readonly AuditRecord[] = [];

const guildOf = ({ data }: ParleyEvent): string | null =>
  'guildId' in data && typeof data.guildId === 'string' ? data.guildId : null;

/** The records of an event. Those with an action are its entries. */
export const auditRecords = (event: ParleyEvent): readonly AuditRecord[] => {
  const draftsOf = handlerOf(drafts, event);
  const guildId = draftsOf === undefined ? null : guildOf(event);
  if (draftsOf === undefined || guildId === null) return NO_RECORDS;
  const isNamed = auditedIn(event) !== undefined;
  const { position, actor: actorId, stream, id: eventId, data } = event;
  const sealed = 'reason' in data ? data.reason?.sealed : undefined;
  return draftsOf(event).flatMap(({ subject, value, action, targetId = null, ...about }, n): readonly AuditRecord[] => {
    const named = isNamed ? (action ?? 0) : 0;
    if (named === 0 && value === undefined) return NO_RECORDS;
    const reason = named === 0 || sealed === undefined ? {} : { reason: { sealed, stream, eventId } };
    return [
      {
        ...{ kind: 'audited', guildId, subject, position, id: idOf(event, n), action: named, actorId },
        ...{ value: value ?? null, about: { targetId, ...about, ...reason } },
      },
    ];
  });
};

/** The entries of an event, whether or not the view holds it yet. */
export const auditRows = async (
  reader: Pick<AuditReader, 'known'>,
  event: ParleyEvent,
): Promise<readonly AuditRow[]> => {
  const entries = auditRecords(event).filter(({ action }) => action !== 0);
  const subjects = entries.flatMap(({ subject }) => (kindOf(subject) === undefined ? [] : [subject]));
  const guildId = entries[0]?.guildId;
  const known =
    guildId === undefined || subjects.length === 0 ? undefined : await reader.known(guildId, subjects, event.position);
  return entries.map((record) => rowAfter(record, known?.get(record.subject)?.value ?? null));
};
