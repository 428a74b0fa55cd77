/** The rows of the guild views with what was changed about them since they began. */
import { byPlace, overwritesWith } from '../../../domain/permissions.ts';
import { compareIds } from '../../../domain/snowflake.ts';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import type { Overwrite } from '../../../schemas/events/channel.ts';
import type { Role } from '../../../schemas/events/guild.ts';
import { type ChannelFields, fieldsOf, type GuildFields, type MemberFields, type ThreadFields } from './revisions.ts';
import {
  type ChannelRow,
  cameAt,
  type GuildRow,
  guildChanges,
  type MemberRow,
  type ThreadRow,
  type ThreadStay,
  withDetails,
} from './view.ts';

export const idIn = (field: string): string => field.slice(field.indexOf(':') + 1);

/** An order that does not depend on when each was read. */
export const byId = (a: { readonly id: string }, b: { readonly id: string }): number => compareIds(a.id, b.id);

export const revisedGuild = (
  guild: GuildRow,
  { details, ownerId = guild.ownerId, pauses = guild.pauses, isDeleted, ...fields }: GuildFields,
): GuildRow => {
  let { everyone } = guild;
  const roles = new Map(guild.roles.map((role) => [role.id, role]));
  for (const [field, role] of Object.entries<Role | null>(fields)) {
    const id = idIn(field);
    if (role === null) roles.delete(id);
    else if (id === guild.id) everyone = role.permissions;
    // Stored by former versions it has no bot.
    else roles.set(id, { ...role, botId: role.botId ?? null });
  }
  const begun = isDeleted === undefined ? guild : { ...guild, isDeleted };
  return { ...begun, ...details, ownerId, pauses, everyone, roles: [...roles.values()].sort(byPlace) };
};

const RECIPIENT = 'recipient:';

/** Who is in a group after these came and went, and since when. */
const recipientsAfter = (
  channel: ChannelRow,
  changed: readonly (readonly [field: string, cameAt: number | null])[],
): Pick<ChannelRow, 'participants' | 'cameAt'> => {
  const since = new Map(channel.participants.map((userId) => [userId, cameAt(channel, userId)]));
  for (const [field, position] of changed) {
    since.delete(idIn(field));
    if (position !== null) since.set(idIn(field), position);
  }
  const inOrder = [...since].sort(([, one], [, other]) => one - other);
  return { participants: inOrder.map(([userId]) => userId), cameAt: Object.fromEntries(inOrder) };
};

export const revisedChannel = (
  channel: ChannelRow,
  { details, isDeleted, name = channel.name, ownerId, ...fields }: ChannelFields,
): ChannelRow => {
  const begun = { ...channel, name, ...(ownerId === undefined ? {} : { ownerId }) };
  const described = withDetails(isDeleted === undefined ? begun : { ...begun, isDeleted }, details);
  const [came, changed] = [
    Object.entries(fields).filter(([field]) => field.startsWith(RECIPIENT)) as [string, number | null][],
    Object.entries(fields).filter(([field]) => !field.startsWith(RECIPIENT)) as [string, Overwrite | null][],
  ];
  if (came.length > 0) return { ...described, ...recipientsAfter(channel, came) };
  if (changed.length === 0) return described;
  const overwrites = changed.reduce(
    (all, [field, overwrite]) => overwritesWith(all, idIn(field), overwrite ?? undefined),
    channel.overwrites,
  );
  return { ...described, overwrites: overwrites.toSorted(byId) };
};

/** @param channel a thread */
export const revisedThread = (
  channel: ChannelRow,
  { details, isDeleted, deleted, ...fields }: ThreadFields,
): ChannelRow => {
  const { thread, name, ...row } = channel as ChannelRow & { readonly thread: ThreadRow };
  const members = { ...thread.members };
  for (const [field, member] of Object.entries<ThreadStay | null>(fields)) {
    if (member === null) delete members[idIn(field)];
    else members[idIn(field)] = member;
  }
  return {
    ...row,
    name: details?.name ?? name,
    ...(isDeleted === undefined ? {} : { isDeleted }),
    thread: { ...thread, details: details ?? thread.details, members, deleted: deleted ?? thread.deleted },
  };
};

export const revisedMember = (member: MemberRow, fields: MemberFields): MemberRow => ({ ...member, ...fields });

/** A member as these events of their stream leave them. */
export const changedMember = (member: MemberRow, events: readonly ParleyEvent[]): MemberRow =>
  revisedMember(member, fieldsOf(guildChanges(events).filter((change) => change.kind === 'revised')));

/** The channels of a guild as its list shows them. */
export const inListOrder = (channels: readonly ChannelRow[]): readonly ChannelRow[] =>
  channels.toSorted((a, b) => a.order - b.order || a.createdAt - b.createdAt);
