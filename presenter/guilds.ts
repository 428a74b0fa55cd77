/** Guilds, channels, members and invites as clients see them. */

import { rolesOf } from '../domain/permissions.ts';
import { everyoneOf } from '../domain/roles.ts';
import type { ChannelRow, GuildRow, InviteRow, MemberRow } from '../projections/views/guild-views/view.ts';
import type { ChannelHead } from '../projections/views/unread/view.ts';
import type { Pauses, Role } from '../schemas/events/guild.ts';
import type { ApiChannel, ApiGuild, ApiInvite, ApiPartialMember, ApiRole, ApiUser } from './shapes.ts';
import { wireTime } from './time.ts';

/** oceanic.js insists on `colors`. */
export const presentRole = ({ id, name, color, hoist, position, permissions, mentionable, botId }: Role): ApiRole => ({
  ...{ id, name, color },
  colors: { primary_color: color, secondary_color: null, tertiary_color: null },
  hoist,
  icon: null,
  unicode_emoji: null,
  position,
  permissions,
  managed: botId !== null,
  mentionable,
  flags: 0,
  ...(botId === null ? {} : { tags: { bot_id: botId } }),
});

/** @everyone first, then the others from the lowest to the highest. */
export const presentRoles = (guild: GuildRow): ApiRole[] => [everyoneOf(guild), ...guild.roles].map(presentRole);

/** Discord's default. There is no bound here. */
const MAX_MEMBERS = 500_000;

/** What somebody outside a guild sees of it. */
export const presentCard = (guild: GuildRow) => ({
  id: guild.id,
  name: guild.name,
  icon: null,
  splash: null,
  banner: null,
  description: guild.description,
  features: guild.isPublic ? ['DISCOVERABLE'] : [],
  verification_level: guild.verificationLevel,
  vanity_url_code: null,
  nsfw_level: 0,
  nsfw: false,
  premium_tier: 0,
  premium_subscription_count: 0,
});

const timeOrNull = (time: number | null): string | null => (time === null ? null : wireTime(time));

export const presentIncidents = ({ invitesUntil, directUntil }: Pauses) => ({
  invites_disabled_until: timeOrNull(invitesUntil),
  dms_disabled_until: timeOrNull(directUntil),
  dm_spam_detected_at: null,
  raid_detected_at: null,
});

export const presentPauses = (pauses: Pauses) =>
  pauses.invitesUntil === null && pauses.directUntil === null ? null : presentIncidents(pauses);

export const presentGuild = (guild: GuildRow): ApiGuild => ({
  ...presentCard(guild),
  discovery_splash: null,
  owner_id: guild.ownerId,
  region: 'parley',
  afk_channel_id: null,
  afk_timeout: 300,
  system_channel_id: guild.systemChannelId,
  system_channel_flags: guild.systemChannelFlags,
  rules_channel_id: null,
  public_updates_channel_id: null,
  safety_alerts_channel_id: guild.safetyAlertsChannelId,
  application_id: null,
  default_message_notifications: guild.defaultNotifications,
  explicit_content_filter: 0,
  mfa_level: 0,
  premium_progress_bar_enabled: false,
  preferred_locale: 'en-US',
  incidents_data: presentPauses(guild.pauses),
  max_members: MAX_MEMBERS,
  max_presences: null,
  max_video_channel_users: 25,
  max_stage_video_channel_users: 50,
  widget_enabled: false,
  widget_channel_id: null,
  emojis: [],
  stickers: [],
  roles: presentRoles(guild),
  approximate_member_count: guild.memberCount,
});

/** @param time when a message was pinned, in milliseconds since 1970. */
export const pinTimestamp = (time: number | null | undefined): string | null => (time == null ? null : wireTime(time));

/** Discord's numbers. */
export const CHANNEL_TYPES = { text: 0, dm: 1, group: 3, category: 4, announcement: 5, thread: 11 } as const;

export const presentGuildChannel = (
  channel: ChannelRow,
  head: ChannelHead | undefined,
  lastPinned: number | undefined,
): ApiChannel => ({
  id: channel.id,
  type: CHANNEL_TYPES[channel.kind],
  ...(channel.guildId === null ? {} : { guild_id: channel.guildId }),
  name: channel.name,
  topic: channel.topic,
  position: channel.order,
  permission_overwrites: channel.overwrites,
  parent_id: channel.parentId,
  nsfw: channel.nsfw,
  rate_limit_per_user: channel.slowmode,
  last_message_id: head?.messageId ?? null,
  last_pin_timestamp: pinTimestamp(lastPinned),
  flags: 0,
});

export const presentDirectChannel = (
  channel: ChannelRow,
  recipients: readonly ApiUser[],
  head: ChannelHead | undefined,
  lastPinned: number | undefined,
): ApiChannel => ({
  id: channel.id,
  type: CHANNEL_TYPES[channel.kind],
  ...(channel.ownerId === undefined ? {} : { name: channel.name, icon: null, owner_id: channel.ownerId }),
  recipients,
  last_message_id: head?.messageId ?? null,
  last_pin_timestamp: pinTimestamp(lastPinned),
  flags: 0,
});

/** Of a guild that cannot be read, or whose roles do not matter. */
export const NO_ROLES: Pick<GuildRow, 'roles'> = { roles: [] };

/**
 * @param guild its guild: of roles that are deleted nothing is shown
 * @param nick opened
 */
export const presentMember = (
  row: MemberRow,
  guild: Pick<GuildRow, 'roles'>,
  nick: string | null,
): ApiPartialMember => ({
  nick,
  avatar: null,
  roles: rolesOf(guild, row).map(({ id }) => id),
  joined_at: wireTime(row.joinedTime),
  premium_since: null,
  deaf: false,
  mute: false,
  flags: 0,
  pending: false,
  communication_disabled_until: row.timedOutUntil === null ? null : wireTime(row.timedOutUntil),
});

/** @param link where people follow it; `undefined` without a public URL */
export const presentInvite = (
  row: InviteRow,
  shown: { readonly guild: GuildRow; readonly channel: ChannelRow; readonly inviter: ApiUser },
  link: string | undefined,
): ApiInvite => ({
  code: row.code,
  type: 0,
  guild_id: row.guildId,
  guild: presentCard(shown.guild),
  channel: { id: shown.channel.id, name: shown.channel.name, type: CHANNEL_TYPES[shown.channel.kind] },
  inviter: shown.inviter,
  uses: row.uses,
  max_uses: row.maxUses,
  max_age: row.expiresAt === null ? 0 : Math.round((row.expiresAt - row.createdTime) / 1000),
  temporary: false,
  created_at: wireTime(row.createdTime),
  expires_at: row.expiresAt === null ? null : wireTime(row.expiresAt),
  flags: 0,
  approximate_member_count: shown.guild.memberCount,
  ...(link === undefined ? {} : { url: link }),
});
