/**
 * What changes about a guild, a channel or a member after it began: one revision per field, each with the whole of its
 * value. The latest of a field holds, so those of different fields may be applied in any order.
 */
import { byPlace, overwritesWith } from '../../../domain/permissions.ts';
import type { Overwrite } from '../../../schemas/events/channel.ts';
import type { Role } from '../../../schemas/events/guild.ts';
import type { ChannelRow, GuildRow, MemberRow } from './view.ts';

/** What a revision is about. A member's counts for the membership in which it happens. */
export type Subject = `guild:${string}` | `channel:${string}` | `member:${string}_${string}`;

export const guildSubject = (guildId: string): Subject => `guild:${guildId}`;
export const channelSubject = (channelId: string): Subject => `channel:${channelId}`;
export const memberSubject = (guildId: string, userId: string): Subject => `member:${guildId}_${userId}`;

/** Values by field. Null: the role or overwrite is no more. */
export interface GuildFields {
  readonly [role: `role:${string}`]: Role | null;
}
export interface ChannelFields {
  readonly [overwrite: `overwrite:${string}`]: Overwrite | null;
}
export interface MemberFields {
  readonly roles?: readonly string[];
}

type FieldOf<Fields> = {
  readonly [K in keyof Fields]-?: { readonly field: K; readonly value: NonNullable<Fields[K]> | null };
}[keyof Fields];
export type RevisedField = FieldOf<GuildFields> | FieldOf<ChannelFields> | FieldOf<MemberFields>;

export type Revision = RevisedField & {
  readonly guildId: string;
  readonly subject: Subject;
  readonly position: number;
};

/** The last value of each field of a subject. */
export const fieldsOf = <Fields>(revisions: readonly RevisedField[]): Fields =>
  Object.fromEntries(revisions.map(({ field, value }) => [field, value])) as Fields;

const idIn = (field: string): string => field.slice(field.indexOf(':') + 1);

/** An order that does not depend on when each was read. */
const byId = (a: Overwrite, b: Overwrite): number => (BigInt(a.id) < BigInt(b.id) ? -1 : 1);

export const revisedGuild = (guild: GuildRow, fields: GuildFields): GuildRow => {
  let { everyone } = guild;
  const roles = new Map(guild.roles.map((role) => [role.id, role]));
  for (const [field, role] of Object.entries(fields)) {
    const id = idIn(field);
    if (role === null) roles.delete(id);
    else if (id === guild.id) everyone = role.permissions;
    else roles.set(id, role);
  }
  return { ...guild, everyone, roles: [...roles.values()].sort(byPlace) };
};

export const revisedChannel = (channel: ChannelRow, fields: ChannelFields): ChannelRow => {
  const changed = Object.entries(fields);
  if (changed.length === 0) return channel;
  const overwrites = changed.reduce(
    (all, [field, overwrite]) => overwritesWith(all, idIn(field), overwrite ?? undefined),
    channel.overwrites,
  );
  return { ...channel, overwrites: overwrites.toSorted(byId) };
};

export const revisedMember = (member: MemberRow, { roles = member.roles }: MemberFields): MemberRow => ({
  ...member,
  roles,
});
