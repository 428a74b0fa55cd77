/**
 * The changes of the guild views, and of the pins and audit logs beside them, that this node has received and their store may
 * not hold yet, by what they concern. Pins are received only of channels that somebody listens to here.
 */

import { bytesOfEvent, type LogReader } from '../../../log/port.ts';
import { listedTypesChanging, type ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { BUDGETS } from '../../../stores/budgets.ts';
import { type AuditRecord, auditRecords } from '../audit-log/view.ts';
import { type PinChange, pinChanges } from '../pins/view.ts';
import { type GuildChange, guildChanges } from './view.ts';

type AnyChange = GuildChange | PinChange | AuditRecord;

export type Positioned<Change extends AnyChange = AnyChange> = Change & { readonly position: number };

export const ADMINISTRATOR = 'administrator';
export const ADMINISTRATORS = 'administrators';

const keysOf = (change: AnyChange): readonly string[] => {
  switch (change.kind) {
    case 'guild-added':
      return [`guild:${change.guild.id}`];
    case 'channel-added': {
      const { id, guildId, participants } = change.channel;
      const listed = guildId === null ? participants.map((userId) => `directs:${userId}`) : [`channels:${guildId}`];
      return [`channel:${id}`, ...new Set(listed)];
    }
    case 'recipient-added':
      return [`directs:${change.userId}`];
    case 'thread-added':
      return [`channel:${change.thread.id}`, `threads:${change.thread.guildId}`];
    case 'thread-active':
    case 'thread-archived':
      return [`threads:${change.guildId}`];
    case 'member-joined':
      return [`members:${change.member.guildId}`, `memberships:${change.member.userId}`];
    case 'member-left':
      return [`members:${change.guildId}`, `memberships:${change.userId}`];
    case 'revised': {
      const { subject, guildId } = change;
      if (subject.startsWith('relations:') || subject.startsWith('settings:')) return [subject];
      if (subject.startsWith('thread:'))
        return [`channel:${subject.slice('thread:'.length)}`, `threads:${guildId}`, `revisions:${guildId}`];
      const listed = subject.startsWith('channel:') ? `channels:${guildId}` : `members:${guildId}`;
      return subject.startsWith('guild:')
        ? [subject, `revisions:${guildId}`]
        : [subject, listed, `revisions:${guildId}`];
    }
    case 'user-added': {
      const { id, ownerId } = change.user;
      return [`user:${id}`, ownerId === null ? ADMINISTRATOR : `applications:${ownerId}`];
    }
    case 'user-signed-out':
      return [`user:${change.userId}`];
    case 'user-revised':
      return change.field === 'administers' ? [`user:${change.userId}`, ADMINISTRATORS] : [`user:${change.userId}`];
    case 'invite-added': {
      const { code, guildId } = change.invite;
      return [`invite:${code}`, `invites:${guildId}`];
    }
    case 'invite-removed':
    case 'invite-used':
      return [`invite:${change.code}`, `invites:${change.guildId}`];
    case 'pinned':
    case 'unpinned':
      return [`pins:${change.channelId}`];
    case 'audited':
      return [`audit:${change.guildId}`];
  }
};

const PAGE = 1000;
const TYPES = listedTypesChanging(['guild-views', 'pins', 'audit-log']);

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
    const changes: readonly AnyChange[] = [...guildChanges([event]), ...pinChanges([event]), ...auditRecords(event)];
    if (changes.length === 0) return;
    if (this.held() >= this.last) this.clear();
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

  /** The changes of a channel's pins beyond position `after`, in position order. */
  pinsOf(channelId: string, after: number): readonly PinChange[] {
    return this.of(`pins:${channelId}`, after, Number.POSITIVE_INFINITY) as unknown as readonly PinChange[];
  }

  /** The records of a guild's audit log beyond position `after`, in position order. */
  auditOf(guildId: string, after: number): readonly AuditRecord[] {
    return this.of(`audit:${guildId}`, after, Number.POSITIVE_INFINITY) as unknown as readonly AuditRecord[];
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
