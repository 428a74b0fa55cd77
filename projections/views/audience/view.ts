/** Which events concern a guild or a user. A channel's own stream is its index, so channels have no rows here. */

import type { LogReader } from '../../../log/port.ts';
import type { EventType, ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { type Audience, guildAudience, userAudience } from '../../../schemas/streams.ts';

export interface AudienceEntry {
  readonly audience: Audience;
  readonly position: number;
  readonly stream: string;
  readonly sequence: number;
  readonly type: string;
}

export interface AudienceReader {
  /** Entries of these guild and user audiences with `after < position <= through`, in position order, at most `limit`. */
  between(
    audiences: readonly Audience[],
    after: number,
    through: number,
    limit: number,
  ): Promise<readonly AudienceEntry[]>;
}

export interface AudienceWriter {
  apply(entries: readonly AudienceEntry[]): void | Promise<void>;
}

// From events to the audiences they concern.

/** The guild and user audiences of an event. What is said in a channel has none: the channel's stream is its index. */
const audiencesOf = (event: ParleyEvent): readonly Audience[] => {
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

// The audience index where it lags behind the log: what it does not hold yet is read from the log, by type.

/** Types of the events that guild and user audiences are told of. */
export const INDEXED = [
  'guild-created',
  'invite-created',
  'channel-created',
  'member-joined',
  'member-left',
  'dm-opened',
  'channels-read',
  'user-registered',
] as const satisfies readonly EventType[];

const PAGE = 1000;

export class CurrentAudiences implements AudienceReader {
  private readonly index: AudienceReader;
  private readonly log: Pick<LogReader, 'readAll'>;
  private readonly held: () => number;

  /** @param held position through which the index holds every entry */
  constructor(index: AudienceReader, log: Pick<LogReader, 'readAll'>, held: () => number) {
    this.index = index;
    this.log = log;
    this.held = held;
  }

  async between(
    audiences: readonly Audience[],
    after: number,
    through: number,
    limit: number,
  ): Promise<readonly AudienceEntry[]> {
    const held = Math.min(through, this.held());
    const indexed = after >= held ? [] : await this.index.between(audiences, after, held, limit);
    if (indexed.length >= limit || held >= through) return indexed;
    return [...indexed, ...(await this.inLog(audiences, Math.max(after, held), through, limit - indexed.length))];
  }

  private async inLog(
    audiences: readonly Audience[],
    after: number,
    through: number,
    limit: number,
  ): Promise<readonly AudienceEntry[]> {
    const wanted = new Set(audiences);
    const found: AudienceEntry[] = [];
    for (let from = after; from < through && found.length < limit; ) {
      const page = await this.log.readAll({ after: from, types: INDEXED, limit: PAGE });
      for (const entry of audienceEntries(page.events))
        if (entry.position <= through && wanted.has(entry.audience)) found.push(entry);
      from = Math.max(page.through, from + 1);
    }
    return found.slice(0, limit);
  }
}
