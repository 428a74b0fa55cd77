/** The message that somebody has joined a guild. */
import { MessageType } from '../schemas/events/channel.ts';
import { type ChannelState, denied, postedLast, rightsIn } from './channel.ts';
import { type Decision, happen, nothing } from './decider.ts';
import type { GuildRights } from './permissions.ts';
import { REMEMBERED_MS } from './recent-keys.ts';

/**
 * Posts it once, where a new member sees the channel; otherwise it does nothing. When so much time has passed that the
 * channel may have forgotten the key, it may be posted already.
 */
export const announceJoining = (
  command: {
    readonly userId: string;
    readonly guild: GuildRights;
    readonly key: string;
    /** Milliseconds since 1970. */
    readonly joinedTime: number;
    /** The clock, in milliseconds since 1970. */
    readonly now: number;
    /** Low bits of the message's id. */
    readonly low: bigint;
  },
  state: ChannelState,
): Decision => {
  const { userId, guild, key, joinedTime, now } = command;
  if (state.keys.has(key) || (state.keys.forgets && now - joinedTime >= REMEMBERED_MS)) return nothing;
  if (state.settings?.guildId !== guild.id || state.settings.kind === 'category') return nothing;
  if (denied(rightsIn(state, { userId, guild, member: { userId, roles: [] } }), 0n) !== undefined) return nothing;
  return happen(postedLast({ author: userId, type: MessageType.userJoin }, command, state));
};
