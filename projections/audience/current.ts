/** The audience index where it lags behind the log: what it does not hold yet is read from the log, by type. */
import type { LogReader } from '../../log/port.ts';
import type { EventType } from '../../schemas/events/index.ts';
import type { Audience } from '../../schemas/streams.ts';
import type { AudienceEntry, AudienceReader } from './port.ts';
import { audienceEntries } from './project.ts';

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
