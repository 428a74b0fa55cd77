/** A guild's structure. Stream `guild-<id>`. */
import type { EventData } from '../schemas/events/catalogue.ts';
import { type Decision, type Fold, happen, nothing, refuse, type StreamState, timed } from './decider.ts';
import { RecentKeys, type RecentKeysJson } from './recent-keys.ts';

export interface GuildState extends StreamState {
  exists: boolean;
  /** The first channel and all that this stream has taken a request for. Older ones are in the views alone. */
  channels: Set<string>;
  keys: RecentKeys;
}

interface GuildStateJson extends Omit<GuildState, 'channels' | 'keys'> {
  readonly channels: readonly string[];
  readonly keys: RecentKeysJson;
}

const STATE_BYTES = 300;
/** An id in a set. */
const CHANNEL_BYTES = 80;

export const guildFold: Fold<GuildState> = {
  version: 2,
  initial: () => ({ sequence: 0, exists: false, channels: new Set(), keys: new RecentKeys() }),
  evolve: (state, event) => {
    state.sequence = event.sequence;
    if (event.key !== null) state.keys.remember(event.key, event.sequence, event.time);
    if (event.type === 'guild-created') {
      state.exists = true;
      state.channels.add(event.data.firstChannel.id);
    } else if (event.type === 'channel-requested') {
      state.channels.add(event.data.channelId);
    }
    return state;
  },
  bytes: ({ channels, keys }) => STATE_BYTES + CHANNEL_BYTES * channels.size + keys.bytes,
  toJson: (state): GuildStateJson => ({ ...state, channels: [...state.channels], keys: state.keys.toJson() }),
  fromJson: (json) => {
    const { channels, keys, ...rest } = json as GuildStateJson;
    return { ...rest, channels: new Set(channels), keys: RecentKeys.fromJson(keys) };
  },
};

/** @param command.isFull whether the owner may have no further guild */
export const createGuild = (
  command: {
    readonly guild: EventData<'guild-created'>;
    readonly isFull?: boolean;
    /** Original time of an imported guild. */
    readonly time?: number;
  },
  state: GuildState,
): Decision => {
  if (state.exists) return nothing;
  return command.isFull === true
    ? refuse('maximumGuilds')
    : happen({ type: 'guild-created', data: command.guild, ...timed(command) });
};

export const MAX_CHANNELS = 500;

/** @param command.known ids of the guild's channels in the views */
export const requestChannel = (
  command: {
    readonly channel: EventData<'channel-requested'>;
    readonly known: readonly string[];
    readonly key: string;
  },
  state: GuildState,
): Decision => {
  if (!state.exists) return refuse('unknownGuild');
  if (state.keys.has(command.key)) return nothing;
  const others = command.known.filter((id) => !state.channels.has(id)).length;
  if (state.channels.size + others >= MAX_CHANNELS) return refuse('maximumGuildChannels');
  return happen({ type: 'channel-requested', data: command.channel });
};
