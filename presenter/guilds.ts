/** Guilds, channels, members and invites as clients see them. */

import type { ChannelRow, GuildRow, InviteRow, MemberRow } from '../projections/views/guild-views/view.ts';
import type { ChannelHead } from '../projections/views/unread/view.ts';
import type { ApiChannel, ApiGuild, ApiInvite, ApiPartialMember, ApiRole, ApiUser } from './shapes.ts';

let lastTime = 0;
let lastIso = new Date(0).toISOString();

/** In a burst, most messages have the same time as the one before. */
export const isoTime = (ms: number): string => {
  if (ms !== lastTime) {
    lastTime = ms;
    lastIso = new Date(ms).toISOString();
  }
  return lastIso;
};

/** The role every member has; its id is the guild's. oceanic.js insists on `colors`. */
const everyoneRole = (guild: GuildRow): ApiRole => ({
  id: guild.id,
  name: '@everyone',
  color: 0,
  colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
  hoist: false,
  icon: null,
  unicode_emoji: null,
  position: 0,
  permissions: guild.everyone,
  managed: false,
  mentionable: false,
  flags: 0,
});

export const presentGuild = (guild: GuildRow): ApiGuild => ({
  id: guild.id,
  name: guild.name,
  icon: null,
  splash: null,
  discovery_splash: null,
  banner: null,
  description: null,
  owner_id: guild.ownerId,
  region: 'parley',
  afk_channel_id: null,
  afk_timeout: 300,
  system_channel_id: null,
  system_channel_flags: 0,
  rules_channel_id: null,
  public_updates_channel_id: null,
  safety_alerts_channel_id: null,
  application_id: null,
  verification_level: 0,
  default_message_notifications: 0,
  explicit_content_filter: 0,
  mfa_level: 0,
  nsfw_level: 0,
  premium_tier: 0,
  premium_subscription_count: 0,
  premium_progress_bar_enabled: false,
  preferred_locale: 'en-US',
  vanity_url_code: null,
  features: [],
  emojis: [],
  stickers: [],
  roles: [everyoneRole(guild)],
  approximate_member_count: guild.memberCount,
});

/** @param time when a message was pinned, in milliseconds since 1970. */
export const pinTimestamp = (time: number | null | undefined): string | null => (time == null ? null : isoTime(time));

export const presentGuildChannel = (
  channel: ChannelRow,
  head: ChannelHead | undefined,
  lastPinned: number | undefined,
): ApiChannel => ({
  id: channel.id,
  type: 0,
  ...(channel.guildId === null ? {} : { guild_id: channel.guildId }),
  name: channel.name,
  topic: channel.topic,
  position: channel.order,
  permission_overwrites: channel.overwrites,
  parent_id: null,
  nsfw: false,
  rate_limit_per_user: 0,
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
  type: 1,
  recipients,
  last_message_id: head?.messageId ?? null,
  last_pin_timestamp: pinTimestamp(lastPinned),
  flags: 0,
});

export const presentMember = (row: MemberRow): ApiPartialMember => ({
  nick: null,
  avatar: null,
  roles: [],
  joined_at: isoTime(row.joinedTime),
  premium_since: null,
  deaf: false,
  mute: false,
  flags: 0,
  pending: false,
});

export const presentInvite = (row: InviteRow, guild: GuildRow, channel: ChannelRow, inviter: ApiUser): ApiInvite => ({
  code: row.code,
  type: 0,
  guild: { id: guild.id, name: guild.name },
  channel: { id: channel.id, name: channel.name, type: 0 },
  inviter,
  uses: row.uses,
  max_uses: row.maxUses,
  max_age: row.expiresAt === null ? 0 : Math.round((row.expiresAt - row.createdTime) / 1000),
  temporary: false,
  created_at: isoTime(row.createdTime),
  expires_at: row.expiresAt === null ? null : isoTime(row.expiresAt),
  approximate_member_count: guild.memberCount,
});
