/** The message that somebody has joined, which a process posts in the guild's system channel. */

import type { ChannelState } from '../../domain/channel.ts';
import { announceJoining } from '../../domain/join-messages.ts';
import type { GuildReader } from '../../projections/views/guild-views/view.ts';
import type { EventOf } from '../../schemas/events/catalogue.ts';
import { channelStream } from '../../schemas/streams.ts';
import type { Sources, Step } from '../processes.ts';

/** Discord's bit of `system_channel_flags` for these messages. */
const SUPPRESS_JOIN_NOTIFICATIONS = 1;

/** Where a guild says that somebody joins now; null: nowhere. */
export const announcingChannel = async (
  guilds: Pick<GuildReader, 'guild'>,
  guildId: string,
): Promise<string | null> => {
  const guild = await guilds.guild(guildId);
  if (guild === undefined || (guild.systemChannelFlags & SUPPRESS_JOIN_NOTIFICATIONS) !== 0) return null;
  return guild.systemChannelId;
};

export const messageOfJoining = async function* (
  { time: joinedTime, data: { guildId, userId, announcedIn } }: EventOf<'member-joined'>,
  { guilds }: Sources,
): AsyncGenerator<Step> {
  const guild = announcedIn === null ? undefined : await guilds.guild(guildId);
  if (announcedIn === null || guild === undefined) return;
  yield {
    stream: channelStream(announcedIn),
    decide:
      (key, { now, low }) =>
      (state: ChannelState) =>
        announceJoining({ userId, guild, key, joinedTime, now, low }, state),
  };
};
