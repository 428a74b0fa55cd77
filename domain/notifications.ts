/** Of what a person wants to be notified, guild by guild. Stream `settings-<user>`. */
import { isDeepStrictEqual } from 'node:util';
import {
  type ChannelNotifications,
  type GuildNotifications,
  INHERITED,
  PLAIN_NOTIFICATIONS,
} from '../schemas/events/settings.ts';
import { type Decision, type Fold, happen, nothing, refuse, type StreamState } from './decider.ts';
import { type Patch, patched } from './patch.ts';
import { RecentKeys, type RecentKeysJson } from './recent-keys.ts';
import { compareIds } from './snowflake.ts';

export interface NotificationsState extends StreamState {
  /** By guild; under the empty id those of direct messages. */
  guilds: Map<string, GuildNotifications>;
  keys: RecentKeys;
}

interface NotificationsStateJson extends Omit<NotificationsState, 'guilds' | 'keys'> {
  readonly guilds: readonly (readonly [string, GuildNotifications])[];
  readonly keys: RecentKeysJson;
}

const GUILD_BYTES = 300;
const CHANNEL_BYTES = 200;

const DIRECT = '';

const total = (all: Iterable<GuildNotifications>, of: (one: GuildNotifications) => number): number => {
  let sum = 0;
  for (const one of all) sum += of(one);
  return sum;
};

const channelsOf = ({ channels }: GuildNotifications): number => channels.length;

/** Guilds and channels of which something is said, apart from guilds that are as they were at first. */
const differing = (of: GuildNotifications): number =>
  of.channels.length + (isDeepStrictEqual(of, PLAIN_NOTIFICATIONS) ? 0 : 1);

export const notificationsFold: Fold<NotificationsState> = {
  version: 2,
  initial: () => ({ sequence: 0, guilds: new Map(), keys: new RecentKeys() }),
  evolve: (state, event) => {
    state.sequence = event.sequence;
    if (event.key !== null) state.keys.remember(event.key, event.sequence, event.time);
    if (event.type === 'notifications-changed') {
      const { guildId, notifications } = event.data;
      if (differing(notifications) === 0) state.guilds.delete(guildId ?? DIRECT);
      else state.guilds.set(guildId ?? DIRECT, notifications);
    }
    return state;
  },
  bytes: ({ guilds, keys }) =>
    GUILD_BYTES * (guilds.size + 1) + CHANNEL_BYTES * total(guilds.values(), channelsOf) + keys.bytes,
  toJson: (state): NotificationsStateJson => ({ ...state, guilds: [...state.guilds], keys: state.keys.toJson() }),
  fromJson: (json) => {
    const { guilds, keys, ...rest } = json as NotificationsStateJson;
    return { ...rest, guilds: new Map(guilds), keys: RecentKeys.fromJson(keys) };
  },
};

/** Most channels of a guild, or direct channels, that differ. */
export const MAX_OVERRIDES = 1000;

type OfChannel = Omit<ChannelNotifications, 'channelId'>;
const PLAIN_CHANNEL: OfChannel = { muted: false, mute: null, messages: INHERITED };

export interface NotificationsPatch extends Patch<Omit<GuildNotifications, 'channels'>> {
  /** Channels that are not named stay as they are. */
  readonly channels: readonly (Patch<OfChannel> & { readonly channelId: string })[];
}

const channelsAfter = (
  former: readonly ChannelNotifications[],
  changed: NotificationsPatch['channels'],
): ChannelNotifications[] => {
  const channels = new Map<string, OfChannel>(former.map(({ channelId, ...of }) => [channelId, of]));
  for (const { channelId, ...patch } of changed)
    channels.set(channelId, patched(channels.get(channelId) ?? PLAIN_CHANNEL, patch, PLAIN_CHANNEL));
  return [...channels]
    .filter(([, of]) => !isDeepStrictEqual(of, PLAIN_CHANNEL))
    .map(([channelId, of]) => ({ channelId, ...of }))
    .sort((a, b) => compareIds(a.channelId, b.channelId));
};

/** Channels of a guild, or direct ones, of which something is said. They may be gone since. */
export const channelsWithSettings = ({ guilds }: NotificationsState, guildId: string | null): readonly string[] =>
  (guilds.get(guildId ?? DIRECT)?.channels ?? []).map(({ channelId }) => channelId);

/** Guilds that are to lose their settings so that there is room for so many more, the first that had any first. */
const makingRoom = (
  state: NotificationsState,
  room: number,
  isLeft: (guildId: string) => boolean,
): readonly string[] | undefined => {
  const emptied: string[] = [];
  let missing = room;
  for (const [guildId, of] of state.guilds) {
    if (missing <= 0) break;
    if (!isLeft(guildId)) continue;
    emptied.push(guildId);
    missing -= differing(of);
  }
  return missing > 0 ? undefined : emptied;
};

export const changeNotifications = (
  command: {
    readonly userId: string;
    readonly guildId: string | null;
    readonly patch: NotificationsPatch;
    readonly key: string;
    /** Guilds and channels that may differ, all together. */
    readonly most: number;
    /** Guilds that the person is in. The settings of others give way where there is no room. */
    readonly guilds: readonly string[];
  },
  state: NotificationsState,
): Decision => {
  if (state.keys.has(command.key)) return nothing;
  const { userId, guildId, patch } = command;
  const former = state.guilds.get(guildId ?? DIRECT) ?? PLAIN_NOTIFICATIONS;
  const channels = channelsAfter(former.channels, patch.channels);
  if (channels.length > MAX_OVERRIDES) return refuse('maximumChannelSettings');
  const next = patched(former, { ...patch, channels }, PLAIN_NOTIFICATIONS);
  if (isDeepStrictEqual(next, former)) return nothing;
  const more = differing(next) - differing(former);
  const beyond = more > 0 ? total(state.guilds.values(), differing) + more - command.most : 0;
  const isLeft = (id: string) => id !== DIRECT && id !== guildId && !command.guilds.includes(id);
  const emptied = makingRoom(state, beyond, isLeft);
  if (emptied === undefined) return refuse('maximumNotifications');
  return happen(
    ...[
      { guildId, notifications: next },
      ...emptied.map((id) => ({ guildId: id, notifications: PLAIN_NOTIFICATIONS })),
    ].map((data) => ({ type: 'notifications-changed' as const, data: { userId, ...data } })),
  );
};
