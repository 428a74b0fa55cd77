/** What a resuming session missed, page by page: from the ring as far as it reaches back, otherwise from the log. */

import { type Hearing, type MissedPage, type Receiving, received } from './missed-audiences.ts';
import { MissedInLog } from './missed-in-log.ts';
import type { RingEntry } from './ring.ts';
import type { Session } from './session.ts';
import type { Parts } from './session-start.ts';

export class MissedPages {
  private readonly parts: Parts;
  private readonly hearing: Hearing;
  private readonly inLog: MissedInLog;
  private readonly size: number;

  constructor(parts: Parts, session: Session, hearing: Hearing) {
    this.parts = parts;
    this.hearing = hearing;
    this.inLog = new MissedInLog(parts, session, hearing);
    this.size = parts.deps.config.resumes.page;
  }

  /**
   * Where the pages come from. A replay is never partial: `too-many` if there are more dispatches than the limit,
   * `unreadable` if an event that the session hears cannot be read.
   */
  async look(limit: number): Promise<'ring' | 'log' | 'too-many' | 'unreadable'> {
    const { after } = this.hearing.range;
    const recent = this.parts.ring.since(after);
    if (recent === undefined) return this.inLog.look(after, limit);
    let count = 0;
    for (const entry of recent) if (this.hears(entry)) count += 1;
    return count > limit ? 'too-many' : 'ring';
  }

  /** The page after a position. To be read once the socket has taken the one before. */
  after(position: number): Promise<MissedPage> | MissedPage {
    // The ring may have moved on since the last page.
    const recent = this.parts.ring.since(position, this.size);
    return recent === undefined ? this.inLog.after(position) : this.fromRing(recent);
  }

  private fromRing(entries: readonly RingEntry[]): MissedPage {
    const { renderer } = this.parts;
    const missed = entries.flatMap((entry) => {
      const heard = this.hears(entry);
      return heard === undefined
        ? []
        : [
            {
              event: entry.event,
              dispatches: async () => received(heard, await entry.dispatches(renderer, heard.guildId)),
            },
          ];
    });
    const { through } = this.hearing.range;
    return { missed, through: entries.length < this.size ? through : entries.at(-1)!.event.position };
  }

  private hears({ event, audiences }: RingEntry): Receiving | undefined {
    return this.hearing.of(event, audiences);
  }
}
