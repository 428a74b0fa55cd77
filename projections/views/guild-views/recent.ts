/** The changes of the guild views that this node has received and the views may not hold yet, by what they concern. */

import { bytesOfEvent, type LogReader } from '../../../log/port.ts';
import { type ParleyEvent, typesChanging } from '../../../schemas/events/catalogue.ts';
import { BUDGETS } from '../../../stores/budgets.ts';
import { pinChanges } from '../pins/view.ts';
import { type GuildChange, guildChanges } from './view.ts';

export type Positioned<Change extends GuildChange = GuildChange> = Change & { readonly position: number };

export const ADMINISTRATOR = 'administrator';

const keysOf = (change: GuildChange): readonly string[] => {
  switch (change.kind) {
    case 'guild-added':
      return [`guild:${change.guild.id}`];
    case 'channel-added': {
      const { id, guildId, participants } = change.channel;
      const listed = guildId === null ? participants.map((userId) => `directs:${userId}`) : [`channels:${guildId}`];
      return [`channel:${id}`, ...new Set(listed)];
    }
    case 'member-joined':
      return [`members:${change.member.guildId}`, `memberships:${change.member.userId}`];
    case 'member-left':
      return [`members:${change.guildId}`, `memberships:${change.userId}`];
    case 'user-added': {
      const { id, ownerId } = change.user;
      return [`user:${id}`, ownerId === null ? ADMINISTRATOR : `applications:${ownerId}`];
    }
    case 'user-signed-out':
      return [`user:${change.userId}`];
    case 'invite-added': {
      const { code, guildId, inviterId } = change.invite;
      return [`invite:${code}`, `invites:${guildId}:${inviterId}`];
    }
    // Who may still join is decided by the invite's stream.
    case 'invite-used':
      return [];
  }
};

const PAGE = 1000;
const TYPES = [...typesChanging<string>('guild-views'), ...typesChanging<string>('pins')];

export class RecentGuildChanges {
  private readonly held: () => number;
  private readonly most: { readonly count: number; readonly bytes: number };
  private readonly byKey = new Map<string, Positioned[]>();
  private kept = 0;
  private bytes = 0;
  /** Position of the last change received. */
  private last = 0;
  /** Changes at or below it may be missing here, so the views must hold it. */
  private missing = 0;

  /** @param held position through which the views hold every event, as far as this node knows */
  constructor(held: () => number, most = BUDGETS.guildViews.recent) {
    this.held = held;
    this.most = most;
  }

  /** Every change that the views do not hold is here, as far as this node has received the log. */
  get complete(): boolean {
    return this.held() >= this.missing;
  }

  /** Whether the views, and the pins beside them, hold every change received. */
  get none(): boolean {
    return this.held() >= this.last;
  }

  /**
   * This node receives every event beyond `position`; what the views lack up to there is read from the log.
   * Call once.
   */
  async begin(position: number, log: Pick<LogReader, 'readAll'>): Promise<void> {
    this.missing = position;
    const events: ParleyEvent[] = [];
    let bytes = 0;
    for (let after = this.held(); after < position; ) {
      const page = await log.readAll({ after, types: TYPES, limit: PAGE });
      for (const event of page.events) {
        if (event.position > position) break;
        events.push(event);
        bytes += bytesOfEvent(event);
      }
      if (events.length > this.most.count || bytes > this.most.bytes) return;
      after = Math.max(page.through, after + 1);
    }
    this.missing = 0;
    for (const event of events) this.heard(event);
  }

  /** Call with every event that this node receives. */
  heard(event: ParleyEvent): void {
    const changes = guildChanges([event]);
    // Pins are in the same store, and nothing makes up for those that it does not hold yet: readers wait for it.
    if (changes.length === 0 && pinChanges([event]).length === 0) return;
    if (this.none) this.clear();
    for (const change of changes) this.add({ ...change, position: event.position });
    this.last = Math.max(this.last, event.position);
    if (this.kept <= this.most.count && this.bytes <= this.most.bytes) return;
    // The views must catch up with all that is given up here.
    this.clear();
    this.missing = this.last;
  }

  /** Changes beyond position `after` that concern this key, in position order. */
  of(key: string, after: number, through: number): readonly Positioned[] {
    return this.byKey.get(key)?.filter(({ position }) => position > after && position <= through) ?? [];
  }

  private add(change: Positioned): void {
    for (const key of keysOf(change)) {
      const changes = this.byKey.get(key);
      if (changes === undefined) this.byKey.set(key, [change]);
      // Those from before this node began are read while others arrive.
      else if (changes.at(-1)!.position <= change.position) changes.push(change);
      else
        this.byKey.set(
          key,
          [...changes, change].sort((a, b) => a.position - b.position),
        );
    }
    this.kept += 1;
    this.bytes += JSON.stringify(change).length;
  }

  private clear(): void {
    this.byKey.clear();
    this.kept = 0;
    this.bytes = 0;
  }
}
