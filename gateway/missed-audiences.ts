/** Which of the events that a session missed it receives. */

import { allows, guildPermissions, Permission } from '../domain/permissions.ts';
import type { AudienceEntry } from '../projections/views/audience-index/view.ts';
import { memberAt } from '../projections/views/guild-views/access.ts';
import { type ChannelRow, cameAt } from '../projections/views/guild-views/view.ts';
import {
  auditedIn,
  type EventOf,
  type EventType,
  intentsOf,
  isEventType,
  isFiledForAuditors,
  isInGuildCreate,
  mayBeAudited,
  type ParleyEvent,
} from '../schemas/events/catalogue.ts';
import { hasAny, Intent } from '../schemas/gateway/frames.ts';
import { type Audience, channelAudience, guildAudience, userAudience } from '../schemas/streams.ts';
import type { EncodedDispatch } from './encoding.ts';
import type { Scope } from './scope.ts';
import type { Session } from './session.ts';

/** One audience the session belongs to now. */
export interface Heard {
  /** Skips events at or below this position: the session has seen them, or they are from before it joined. */
  readonly after: number;
  readonly guildId: string | null;
  /** The guild is sent again as a whole, including its structure. */
  readonly anew: boolean;
}

/** What of an event a session receives. */
export interface Receiving {
  /** Of the event, if it is in one. */
  readonly guildId: string | null;
  /** The dispatches to the event's audiences. */
  readonly isHeard: boolean;
  /** The entry that the event makes in an audit log. */
  readonly isAudited: boolean;
}

/** Those of an event's dispatches that the session receives. */
export const received = (
  { isHeard, isAudited }: Receiving,
  dispatches: readonly EncodedDispatch[],
): readonly EncodedDispatch[] =>
  isHeard && isAudited ? dispatches : dispatches.filter(({ toAuditors }) => (toAuditors ? isAudited : isHeard));

export interface Range {
  readonly after: number;
  readonly through: number;
}

interface Since {
  readonly joinedSince: ReadonlyMap<string, number>;
  readonly seenFrom: ReadonlyMap<string, number>;
  readonly endedThreads?: ReadonlyMap<string, readonly ChannelRow[]>;
}

const NO_THREADS: ReadonlyMap<string, readonly ChannelRow[]> = new Map();

type OfThread = EventOf<Extract<EventType, `thread-${string}`>>;

const isOfThread = (event: ParleyEvent): event is OfThread => event.type.startsWith('thread-');

/** Which events of a range a session receives. */
export class Hearing {
  readonly range: Range;
  private readonly session: Session;
  private readonly heard = new Map<Audience, Heard>();
  /** Guilds whose audit log it may read, and wants to hear of. */
  private readonly audited = new Set<string>();

  /**
   * @param now milliseconds since 1970
   * @param joinedSince guilds that are sent again as a whole, each with the position of joining
   * @param seenFrom positions from which on channels are seen that were not seen all the time
   * @param endedThreads by guild, threads that were active in the range and no longer are
   */
  constructor(
    session: Session,
    range: Range,
    scope: Scope,
    now: number,
    { joinedSince, seenFrom, endedThreads = NO_THREADS }: Since,
  ) {
    this.session = session;
    this.range = range;
    const { after } = range;
    this.heard.set(userAudience(session.userId), { after, guildId: null, anew: false });
    const wantsEntries = hasAny(session.intents, Intent.guildModeration);
    for (const { guild, member, channels, threads } of scope.guilds) {
      if (wantsEntries && allows(guildPermissions(guild, memberAt(member, now)), Permission.viewAuditLog))
        this.audited.add(guild.id);
      const joined = joinedSince.get(guild.id);
      const heard: Heard = { after: joined ?? after, guildId: guild.id, anew: joined !== undefined };
      this.heard.set(guildAudience(guild.id), heard);
      for (const { id } of [...channels, ...threads, ...(endedThreads.get(guild.id) ?? [])]) {
        const from = seenFrom.get(id);
        this.heard.set(channelAudience(id), from === undefined ? heard : { ...heard, after: from });
      }
    }
    for (const channel of scope.directChannels) {
      const from = Math.max(after, cameAt(channel, session.userId));
      this.heard.set(channelAudience(channel.id), { after: from, guildId: null, anew: false });
    }
  }

  /** Each audience, with the position beyond which the session hears it. */
  get audiences(): readonly (readonly [audience: Audience, after: number])[] {
    return [...this.heard].map(([audience, { after }]) => [audience, after] as const);
  }

  /** What the session receives of an event; `undefined` when it is nothing. */
  of(event: ParleyEvent, audiences: readonly Audience[]): Receiving | undefined {
    const { position } = event;
    if (position <= this.range.after || position > this.range.through) return undefined;
    const heard = this.through(event, audiences);
    const guildId = auditedIn(event);
    const isAudited = guildId !== undefined && this.readsLogOf(guildId, position);
    if (heard === undefined && !isAudited) return undefined;
    return { guildId: heard?.guildId ?? guildId ?? null, isHeard: heard !== undefined, isAudited };
  }

  /** By the rights that the session has now. */
  private readsLogOf(guildId: string, position: number): boolean {
    const heard = this.heard.get(guildAudience(guildId));
    return heard !== undefined && position > heard.after && this.audited.has(guildId);
  }

  /** The audience through which the session hears of an event. */
  private through(event: ParleyEvent, audiences: readonly Audience[]): Heard | undefined {
    const { position } = event;
    // The comparison of memberships then and now covers these events.
    if ((event.type === 'member-joined' || event.type === 'member-left') && event.data.userId === this.session.userId)
      return undefined;
    if (!this.mayHear(event)) return undefined;
    for (const audience of audiences) {
      const heard = this.heard.get(audience);
      if (heard === undefined || position <= heard.after) continue;
      if (heard.anew && isInGuildCreate(event)) continue;
      const intents = intentsOf(event.type, heard.guildId);
      if (hasAny(this.session.intents, intents)) return heard;
    }
    return undefined;
  }

  /** The whole guild is told of some events, but only those who see the channel hear of them. */
  private mayHear(event: ParleyEvent): boolean {
    // Covered by the comparison of channels then and now, which also covers those that were lost before.
    if (event.type === 'channel-deleted') return false;
    // A group begins for them when they last came into it, and only if they are in it still.
    if (event.type === 'recipient-added' && event.data.userId === this.session.userId)
      return this.heard.get(channelAudience(event.data.channelId))?.after === event.position;
    if (isOfThread(event)) {
      const parent = this.heard.get(channelAudience(event.data.parentId));
      return parent !== undefined && event.position > parent.after;
    }
    if (event.type !== 'channel-created' && event.type !== 'invite-created' && event.type !== 'invite-deleted')
      return true;
    const { guildId, channelId } = event.data;
    if (guildId === null) return true;
    const heard = this.heard.get(channelAudience(channelId));
    return heard !== undefined && (event.type !== 'channel-created' || event.position > heard.after);
  }

  /** Skips events outside the session's intents without reading them: most sessions do not ask for joins and leaves. */
  asksFor({ type, audience }: AudienceEntry): boolean {
    if (!isEventType(type)) return true;
    const guildId = this.heard.get(audience)?.guildId ?? null;
    if (guildId !== null && mayBeAudited(type) && this.audited.has(guildId)) return true;
    return !isFiledForAuditors(type) && hasAny(this.session.intents, intentsOf(type, guildId));
  }
}

export interface Missed {
  readonly event: ParleyEvent;
  dispatches(): Promise<readonly EncodedDispatch[]>;
}

export interface MissedPage {
  readonly missed: readonly Missed[];
  /** Everything at or below this position is on this page or an earlier one. */
  readonly through: number;
}
