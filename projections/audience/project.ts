/** From events to the audiences they concern. */
import type { ParleyEvent } from '../../schemas/events/index.ts';
import { type Audience, guildAudience, userAudience } from '../../schemas/streams.ts';
import type { AudienceEntry } from './port.ts';

/** The guild and user audiences of an event. What is said in a channel has none: the channel's stream is its index. */
export const audiencesOf = (event: ParleyEvent): readonly Audience[] => {
  switch (event.type) {
    case 'guild-created':
    case 'invite-created':
      return [guildAudience(event.data.guildId)];
    case 'channel-created':
      return event.data.guildId === null
        ? event.data.participants.map(userAudience)
        : [guildAudience(event.data.guildId)];
    case 'member-joined':
    case 'member-left':
      return [guildAudience(event.data.guildId), userAudience(event.data.userId)];
    case 'dm-opened':
      return event.data.participants.map(userAudience);
    case 'channels-read':
    case 'user-registered':
      return [userAudience(event.data.userId)];
    default:
      return [];
  }
};

export const audienceEntries = (events: readonly ParleyEvent[]): readonly AudienceEntry[] => {
  const entries: AudienceEntry[] = [];
  for (const event of events) {
    for (const audience of audiencesOf(event)) {
      const { position, stream, sequence, type } = event;
      entries.push({ audience, position, stream, sequence, type });
    }
  }
  return entries;
};
