/** Of what a person is notified, as their clients see it. */

import type { NotificationsRow } from '../projections/views/guild-views/view.ts';
import { type GuildNotifications, PLAIN_NOTIFICATIONS } from '../schemas/events/settings.ts';
import type { ApiGuildSettings } from './shapes.ts';
import { wireTime } from './time.ts';

type Silencing = Pick<GuildNotifications, 'muted' | 'mute' | 'messages'>;

const presentSilencing = ({ muted, mute, messages }: Silencing) => ({
  muted,
  mute_config:
    mute === null
      ? null
      : { end_time: mute.endTime === null ? null : wireTime(mute.endTime), selected_time_window: mute.window },
  message_notifications: messages,
});

export const presentNotifications = ({ guildId, notifications }: NotificationsRow): ApiGuildSettings => ({
  guild_id: guildId,
  ...presentSilencing(notifications),
  suppress_everyone: notifications.suppressEveryone,
  suppress_roles: notifications.suppressRoles,
  channel_overrides: notifications.channels.map(({ channelId, ...of }) => ({
    ...{ channel_id: channelId, ...presentSilencing(of), collapsed: false, flags: 0 },
  })),
  // What nobody changes here.
  ...{ mobile_push: true, mute_scheduled_events: false, hide_muted_channels: false, notify_highlights: 0 },
  ...{ flags: 0, version: 0 },
});

/** Of a guild of which they never said anything. */
export const plainNotifications = (guildId: string | null): NotificationsRow => ({
  ...{ guildId, notifications: PLAIN_NOTIFICATIONS },
});

/** In READY: of direct messages and of the guilds that the person is in. */
export const notificationsInReady = (rows: readonly NotificationsRow[], guildIds: ReadonlySet<string>) => ({
  entries: rows.filter(({ guildId }) => guildId === null || guildIds.has(guildId)).map(presentNotifications),
  ...{ partial: false, version: 0 },
});
