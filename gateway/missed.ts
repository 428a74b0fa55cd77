/** What a resuming session missed: from the ring if it reaches back far enough, otherwise from the log. */

import type { AudienceEntry } from '../projections/views/audience-index/view.ts';
import { audiencesOf, intentsOf, isEventType, isInGuildCreate, type ParleyEvent } from '../schemas/events/catalogue.ts';
import { hasAny } from '../schemas/gateway/frames.ts';
import { type Audience, channelAudience, channelStream, guildAudience, userAudience } from '../schemas/streams.ts';
import { type EncodedDispatch, encodedDispatches } from './encoding.ts';
import type { RingEntry } from './ring.ts';
import type { Scope } from './scope.ts';
import type { Session } from './session.ts';
import type { Parts } from './session-start.ts';

/** One audience the session belongs to now. */
interface Heard {
  /** Skips events at or below this position: the session has seen them, or they are from before it joined. */
  readonly after: number;
  readonly guildId: string | null;
  /** The guild is sent again as a whole, including its structure. */
  readonly anew: boolean;
}

export interface Missed {
  readonly event: ParleyEvent;
  dispatches(): Promise<readonly EncodedDispatch[]>;
}

const CHANNEL = 'channel:';
const PAGE = 500;
/**
 * Index entries read per allowed dispatch, so that a session with few intents cannot make the server read a guild's
 * whole history.
 */
const ENTRIES_PER_DISPATCH = 10;

export class Window {
  private readonly parts: Parts;
  private readonly session: Session;
  private readonly after: number;
  private readonly through: number;
  private readonly heard = new Map<Audience, Heard>();
  /** Messages deleted within the range. It is read backwards, so each deletion is found before its message. */
  private readonly deleted = new Set<string>();

  /** @param joinedSince guilds that are sent again as a whole, each with the position of joining. */
  constructor(
    parts: Parts,
    session: Session,
    range: { after: number; through: number },
    scope: Scope,
    joinedSince: ReadonlyMap<string, number>,
  ) {
    this.parts = parts;
    this.session = session;
    this.after = range.after;
    this.through = range.through;
    this.heard.set(userAudience(session.userId), { after: this.after, guildId: null, anew: false });
    for (const { guild, channels } of scope.guilds) {
      const joined = joinedSince.get(guild.id);
      const heard: Heard = { after: joined ?? this.after, guildId: guild.id, anew: joined !== undefined };
      this.heard.set(guildAudience(guild.id), heard);
      for (const channel of channels) this.heard.set(channelAudience(channel.id), heard);
    }
    for (const channel of scope.directChannels)
      this.heard.set(channelAudience(channel.id), { after: this.after, guildId: null, anew: false });
  }

  fromRing(entries: readonly RingEntry[]): Missed[] {
    const missed: Missed[] = [];
    for (const entry of entries) {
      const heard = this.hearing(entry.event, entry.audiences);
      if (heard === undefined) continue;
      missed.push({
        event: entry.event,
        dispatches: () => entry.dispatches(this.parts.renderer, heard.guildId),
      });
    }
    return missed;
  }

  /** @returns `undefined` when there is more than the limit. */
  async fromLog(limit: number): Promise<Missed[] | undefined> {
    // Keyed by position, since the creation of a channel is both in its own stream and in its guild's index.
    const found = new Map<number, ParleyEvent>();
    for (const audience of this.heard.keys()) {
      if (audience.startsWith(CHANNEL) && !(await this.readChannel(audience, found, limit))) return undefined;
    }
    if (!(await this.readIndexed(found, limit))) return undefined;
    const events = [...found.values()].sort((a, b) => a.position - b.position);
    return events.map((event) => ({
      event,
      dispatches: () =>
        encodedDispatches(
          this.parts.renderer,
          event,
          this.hearing(event, audiencesOf(event))?.guildId ?? null,
          this.deleted,
        ),
    }));
  }

  /** The audience through which the session receives an event; `undefined` when it does not. */
  private hearing(event: ParleyEvent, audiences: readonly Audience[]): Heard | undefined {
    const { position } = event;
    if (position <= this.after || position > this.through) return undefined;
    // The comparison of memberships then and now covers these events.
    if ((event.type === 'member-joined' || event.type === 'member-left') && event.data.userId === this.session.userId)
      return undefined;
    for (const audience of audiences) {
      const heard = this.heard.get(audience);
      if (heard === undefined || position <= heard.after) continue;
      if (heard.anew && isInGuildCreate(event)) continue;
      const intents = intentsOf(event.type, heard.guildId);
      if (hasAny(this.session.intents, intents)) return heard;
    }
    return undefined;
  }

  /**
   * Reads backwards from the head to what the session knows: quiet channels cost nothing, however many events they
   * hold.
   */
  private async readChannel(audience: Audience, into: Map<number, ParleyEvent>, limit: number): Promise<boolean> {
    const heard = this.heard.get(audience)!;
    const stream = channelStream(audience.slice(CHANNEL.length));
    const head = await this.parts.deps.log.streamHead(stream);
    if (head.position <= heard.after) return true;
    let looked = 0;
    for (let from = head.sequence; from > 0; ) {
      const page = await this.parts.deps.log.readStream({
        stream,
        from,
        direction: 'backwards',
        limit: PAGE,
      });
      for (const event of page) {
        if (event.position <= heard.after) return true;
        looked += 1;
        if (event.type === 'message-deleted') this.deleted.add(event.data.messageId);
        if (this.hearing(event, audiencesOf(event)) !== undefined) into.set(event.position, event);
        if (into.size > limit) return false;
      }
      if (page.length === 0 || looked > limit * ENTRIES_PER_DISPATCH) return page.length === 0;
      from = page.at(-1)!.sequence - 1;
    }
    return true;
  }

  /** Reads events of guild and user audiences through their index. */
  private async readIndexed(into: Map<number, ParleyEvent>, limit: number): Promise<boolean> {
    const { log, views } = this.parts.deps;
    const audiences = [...this.heard.keys()].filter((audience) => !audience.startsWith(CHANNEL));
    let looked = 0;
    for (let after = this.after; ; ) {
      const entries = await views.audiences.between(audiences, after, this.through, PAGE);
      for (const entry of entries) {
        after = entry.position;
        looked += 1;
        if (into.has(entry.position) || !this.asksFor(entry)) continue;
        const [event] = await log.readStream({ stream: entry.stream, from: entry.sequence, limit: 1 });
        if (event === undefined || this.hearing(event, audiencesOf(event)) === undefined) continue;
        into.set(event.position, event);
        if (into.size > limit) return false;
      }
      if (entries.length < PAGE) return true;
      if (looked > limit * ENTRIES_PER_DISPATCH) return false;
    }
  }

  /** Skips events outside the session's intents without reading them: most sessions do not ask for joins and leaves. */
  private asksFor({ type, audience }: AudienceEntry): boolean {
    if (!isEventType(type)) return true;
    const intents = intentsOf(type, this.heard.get(audience)?.guildId ?? null);
    return hasAny(this.session.intents, intents);
  }
}
