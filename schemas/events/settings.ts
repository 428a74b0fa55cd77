/** Events of `settings-<user>`: of what a person wants to be notified. It changes what clients show, and nothing that is counted. */
import * as t from 'io-ts';
import { userAudience } from '../streams.ts';
import { defineEvent, NO_INTENTS, unaudited } from './definition.ts';

/** Until when something is muted; null: until the person says otherwise. */
const Mute = t.type({
  /** Milliseconds since 1970; null: for good. */
  endTime: t.union([t.number, t.null]),
  /** Seconds, as the person chose them; clients show it. */
  window: t.union([t.number, t.null]),
});

const silencing = {
  muted: t.boolean,
  mute: t.union([Mute, t.null]),
  /** Of which messages: 0 all, 1 those that mention them, 2 none, 3 as what is around it says. */
  messages: t.number,
};

export const ChannelNotifications = t.type({ channelId: t.string, ...silencing });
export type ChannelNotifications = t.TypeOf<typeof ChannelNotifications>;

export const GuildNotifications = t.type({
  ...silencing,
  suppressEveryone: t.boolean,
  suppressRoles: t.boolean,
  /** Those that differ, in order of their ids. */
  channels: t.array(ChannelNotifications),
});
export type GuildNotifications = t.TypeOf<typeof GuildNotifications>;

/** As what is around it says. */
export const INHERITED = 3;

export const PLAIN_NOTIFICATIONS: GuildNotifications = {
  ...{ muted: false, mute: null, messages: INHERITED, suppressEveryone: false, suppressRoles: false, channels: [] },
};

/** Each event holds the whole of what one guild has. */
const NotificationsChanged = defineEvent({
  codec: t.type({
    userId: t.string,
    /** Null: of direct messages. */
    guildId: t.union([t.string, t.null]),
    notifications: GuildNotifications,
  }),
  former: [],
  audiences: ({ data }) => [userAudience(data.userId)],
  indexedFor: ({ data }) => [userAudience(data.userId)],
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: false,
  standsAlone: true,
  inGuildCreate: false,
  changes: ['guild-views'],
  followedUp: false,
  frequent: false,
  auditedIn: unaudited,
  takesReason: false,
  seals: null,
});

/** By their stored names. */
export const settingsEvents = {
  'notifications-changed': NotificationsChanged,
} as const;
