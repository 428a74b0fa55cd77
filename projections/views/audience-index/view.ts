/**
 * Which events concern a guild or a user. A channel's own stream serves as its index, so channels have no rows here.
 */

import type { LogReader } from '../../../log/port.ts';
import { INDEXED, indexedFor, type ParleyEvent } from '../../../schemas/events/catalogue.ts';
import type { Audience } from '../../../schemas/streams.ts';

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

// Maps events to the audiences they concern.

export const audienceEntries = (events: readonly ParleyEvent[]): readonly AudienceEntry[] => {
  const entries: AudienceEntry[] = [];
  for (const event of events) {
    for (const audience of indexedFor(event)) {
      const { position, stream, sequence, type } = event;
      entries.push({ audience, position, stream, sequence, type });
    }
  }
  return entries;
};

// The audience index when it lags behind the log: what it does not hold yet is read from the log, by event type.

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
