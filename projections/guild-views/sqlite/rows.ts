/** From columns to rows. */
import type { Overwrite } from '../../../schemas/events/index.ts';
import type { ChannelRow, GuildRow, InviteRow, MemberRow, UserRow } from '../port.ts';

export type GuildColumns = readonly [id: string, name: string, ownerId: string, everyone: string, memberCount: number];
export const GUILD = 'CAST(g.id AS TEXT), g.name, CAST(g.owner_id AS TEXT), g.everyone, g.member_count';
export const guildOf = ([id, name, ownerId, everyone, memberCount]: GuildColumns): GuildRow => ({
  id,
  name,
  ownerId,
  everyone,
  memberCount,
});

export type ChannelColumns = readonly [
  id: string,
  kind: ChannelRow['kind'],
  guildId: string | null,
  name: string | null,
  topic: string | null,
  overwrites: string,
  participants: string,
  order: number,
  createdAt: number,
];
export const CHANNEL = `CAST(c.id AS TEXT), c.kind, CAST(c.guild_id AS TEXT), c.name, c.topic, c.overwrites,
  c.participants, c.place, c.created_at`;
export const channelOf = (c: ChannelColumns): ChannelRow => ({
  id: c[0],
  kind: c[1],
  guildId: c[2],
  name: c[3],
  topic: c[4],
  overwrites: JSON.parse(c[5]) as Overwrite[],
  participants: JSON.parse(c[6]) as string[],
  order: c[7],
  createdAt: c[8],
});

export type MemberColumns = readonly [userId: string, joinedTime: number, joinedAt: number];
export const MEMBER = 'CAST(user_id AS TEXT), joined_time, joined_at';
export const memberOf = (guildId: string, [userId, joinedTime, joinedAt]: MemberColumns): MemberRow => ({
  guildId,
  userId,
  joinedTime,
  joinedAt,
});

export type UserColumns = readonly [
  id: string,
  kind: UserRow['kind'],
  ownerId: string | null,
  by: string,
  box: string,
  sealedIn: string,
];
export const USER = 'CAST(id AS TEXT), kind, CAST(owner_id AS TEXT), CAST(sealed_by AS TEXT), box, sealed_in';
export const userOf = ([id, kind, ownerId, by, box, sealedIn]: UserColumns): UserRow => ({
  id,
  kind,
  ownerId,
  sealed: { by, box },
  sealedIn,
});

export type InviteColumns = readonly [
  code: string,
  guildId: string,
  channelId: string,
  inviterId: string,
  maxUses: number,
  uses: number,
  createdTime: number,
  expiresAt: number | null,
];
export const INVITE = `code, CAST(guild_id AS TEXT), CAST(channel_id AS TEXT), CAST(inviter_id AS TEXT), max_uses, uses,
  created_time, expires_at`;
export const inviteOf = (c: InviteColumns): InviteRow => ({
  code: c[0],
  guildId: c[1],
  channelId: c[2],
  inviterId: c[3],
  maxUses: c[4],
  uses: c[5],
  createdTime: c[6],
  expiresAt: c[7],
});
