/** The message that somebody has joined a guild. */
import { MessageType } from '../schemas/events/channel.ts';
import { type ChannelState, denied, postedFor, rightsIn } from './channel.ts';
import { type Decision, happen, nothing } from './decider.ts';
import type { GuildRights } from './permissions.ts';
import { REMEMBERED_MS } from './recent-keys.ts';
import { messageIdAfter } from './snowflake.ts';

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
  const { userId, guild, key, joinedTime, now, low } = command;
  if (state.keys.has(key) || (state.keys.forgets && now - joinedTime >= REMEMBERED_MS)) return nothing;
  if (state.settings?.guildId !== guild.id || state.settings.kind === 'category') return nothing;
  if (denied(rightsIn(state, { userId, guild, member: { userId, roles: [] } }), 0n) !== undefined) return nothing;
  const messageId = messageIdAfter(state.headTime, now, low);
  const type = MessageType.userJoin;
  return happen(postedFor({ messageId, ordinal: state.ordinal + 1, author: userId, type, about: null, content: '' }));
};
