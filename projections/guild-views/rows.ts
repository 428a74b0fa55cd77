/** Between columns and rows, the same in every SQL store. */
import type { Overwrite } from '../../schemas/events/index.ts';
import type { ChannelRow, GuildChange, GuildRow, MemberRow, UserRow } from './port.ts';
import type { ChannelColumns, GuildColumns, MemberColumns, UserColumns } from './queries.ts';
import type { GuildTables } from './tables.ts';

export const guildOf = (columns: GuildColumns): GuildRow => ({
  ...columns,
  name: JSON.parse(columns.name) as string,
});

export const channelOf = (columns: ChannelColumns, order: number): ChannelRow => ({
  id: columns.id,
  kind: columns.kind,
  guildId: columns.guildId,
  name: JSON.parse(columns.name) as string | null,
  topic: JSON.parse(columns.topic) as string | null,
  overwrites: JSON.parse(columns.overwrites) as Overwrite[],
  participants: JSON.parse(columns.participants) as string[],
  order,
  createdAt: columns.createdAt,
});

export const memberOf = (guildId: string, { userId, joinedTime, joinedAt }: MemberColumns): MemberRow => ({
  guildId,
  userId,
  joinedTime,
  joinedAt,
});

export const userOf = ({ id, kind, ownerId, by, box, sealedIn }: UserColumns): UserRow => ({
  id,
  kind,
  ownerId,
  sealed: { by, box },
  sealedIn,
});

type Added<Kind extends GuildChange['kind']> = Extract<GuildChange, { readonly kind: Kind }>;

export const addedGuild = ({ guild, position }: Added<'guild-added'>): GuildTables['guilds'] => ({
  id: guild.id,
  name: JSON.stringify(guild.name),
  owner_id: guild.ownerId,
  everyone: guild.everyone,
  created_at: position,
});

export const addedChannel = ({ channel }: Added<'channel-added'>): GuildTables['channels'] => ({
  id: channel.id,
  kind: channel.kind,
  guild_id: channel.guildId,
  name: JSON.stringify(channel.name),
  topic: JSON.stringify(channel.topic),
  overwrites: JSON.stringify(channel.overwrites),
  participants: JSON.stringify(channel.participants),
  created_at: channel.createdAt,
});

/** One for each who takes part. */
export const addedDirectChannels = ({ channel }: Added<'channel-added'>): GuildTables['direct_channels'][] =>
  [...new Set(channel.participants)].map((userId) => ({ user_id: userId, channel_id: channel.id }));

export const begunStay = ({ member }: Added<'member-joined'>): GuildTables['memberships'] => ({
  guild_id: member.guildId,
  user_id: member.userId,
  joined_at: member.joinedAt,
  joined_time: member.joinedTime,
  left_at: null,
});

export const addedUser = ({ user, position }: Added<'user-added'>): GuildTables['users'] => ({
  id: user.id,
  kind: user.kind,
  owner_id: user.ownerId,
  sealed_by: user.sealed.by,
  box: user.sealed.box,
  sealed_in: user.sealedIn,
  registered_at: position,
});

export const addedInvite = ({ invite, position }: Added<'invite-added'>): GuildTables['invites'] => ({
  code: invite.code,
  guild_id: invite.guildId,
  channel_id: invite.channelId,
  inviter_id: invite.inviterId,
  max_uses: invite.maxUses,
  created_at: position,
  created_time: invite.createdTime,
  expires_at: invite.expiresAt,
});
