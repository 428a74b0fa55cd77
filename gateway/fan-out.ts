/** Live delivery: sends every batch of events to the sessions that may see them, in position order. */

import type { EventRenderer } from '../presenter/dispatches.ts';
import { isSignedIn } from '../projections/views/guild-views/access.ts';
import { within } from '../schemas/clock.ts';
import {
  auditedIn,
  changesAccess,
  type EventOf,
  intentsOf,
  isCarried,
  type ParleyEvent,
} from '../schemas/events/catalogue.ts';
import { GOOD_STANDING, mayAct } from '../schemas/events/user.ts';
import { hasAny, Intent } from '../schemas/gateway/frames.ts';
import { type Audience, channelAudience, channelIdOf, guildAudience, userAudience } from '../schemas/streams.ts';
import { type AccessChange, type AccessEvent, accessChanges } from './access-changes.ts';
import { type EncodedDispatch, forAuditors, framesOf, withSequence } from './encoding.ts';
import { textFrame } from './frame-bytes.ts';
import { begins, ends, Hearers, newcomersBy } from './hearers.ts';
import type { Outbox } from './outbox.ts';
import type { Feed, GatewayDeps } from './ports.ts';
import type { Ring, RingEntry } from './ring.ts';
import { depsAt, gainedChannelPayloads, lostChannelPayloads } from './scope.ts';
import { Closings, type Session, type Topic } from './session.ts';
import type { Subscriptions } from './subscriptions.ts';

/** How long delivery waits until everything of a new channel arrives here, in milliseconds. */
const SOON_MS = 25;

/** Whether it is the topic of a guild itself, and not of one of its channels. */
const isGuilds = ({ audience, guildId }: Topic): boolean => guildId !== null && audience === guildAudience(guildId);

/** A session is not delivered to any more, and has to catch up after `seq`. */
type Late = (session: Session, seq: number) => void;

export class FanOut {
  private readonly deps: GatewayDeps;
  private readonly renderer: EventRenderer;
  private readonly subscriptions: Subscriptions;
  private readonly hearers: Hearers;
  private readonly outbox: Outbox;
  private readonly ring: Ring;
  private readonly fallBehind: Late;
  /** All events at or below this position are on their way to the sessions that may see them. */
  position: number;

  constructor(
    deps: GatewayDeps,
    parts: { renderer: EventRenderer; subscriptions: Subscriptions; outbox: Outbox; ring: Ring; late: Late },
  ) {
    this.deps = deps;
    this.renderer = parts.renderer;
    this.subscriptions = parts.subscriptions;
    this.hearers = new Hearers(deps, parts.subscriptions, (...told) => this.send(...told));
    this.outbox = parts.outbox;
    this.ring = parts.ring;
    this.fallBehind = parts.late;
    this.position = deps.views.checkpoint();
  }

  /**
   * Delivers a batch. Never fails: a session whose event cannot be presented is closed, and gets the event on resume.
   */
  async deliver(events: readonly ParleyEvent[], through: number): Promise<void> {
    let run: RingEntry[] = [];
    let topic: Topic | undefined;
    for (const event of events) {
      const entry = this.ring.push(event);
      if (isCarried(event, 'channel')) {
        const heardBy = this.subscriptions.topic(channelAudience(channelIdOf(event.stream)!));
        if (heardBy !== topic) {
          await this.deliverRun(topic, run);
          run = [];
          topic = heardBy;
        }
        if (heardBy !== undefined) run.push(entry);
      } else {
        await this.deliverRun(topic, run);
        run = [];
        topic = undefined;
        await this.deliverOne(entry);
        this.position = event.position;
      }
    }
    await this.deliverRun(topic, run);
    this.position = through;
  }

  /**
   * Delivers consecutive events of one channel to each session together, so its state is loaded into the CPU cache
   * once.
   */
  private async deliverRun(topic: Topic | undefined, run: readonly RingEntry[]): Promise<void> {
    if (topic === undefined || run.length === 0) return;
    try {
      const told: (readonly EncodedDispatch[])[] = [];
      for (const entry of run) {
        const dispatches = entry.dispatches(this.renderer, topic.guildId);
        told.push(dispatches instanceof Promise ? await dispatches : dispatches);
      }
      let count = 0;
      for (const session of topic.sessions) for (const dispatches of told) count += this.tell(session, dispatches);
      this.deps.metrics.dispatches(count);
      if (count > 0) await this.outbox.keepPace(told.flat().reduce((sum, dispatch) => sum + dispatch.bytes, 0));
    } catch (error) {
      this.fail(error, run[0]!.event, topic.sessions);
    }
    this.position = run.at(-1)!.event.position;
  }

  /** @returns how many of the event's dispatches the session gets */
  private tell(session: Session, dispatches: readonly EncodedDispatch[]): number {
    const [only] = dispatches;
    if (only === undefined) return 0;
    // Fast path without allocation: nearly every event has one dispatch, and nearly every session gets it.
    if (dispatches.length === 1) {
      if (!only.admits(session)) return 0;
      this.outbox.push(session, only.frame(session));
      session.s = only.position;
      return 1;
    }
    const frames = framesOf(dispatches, session, session.s);
    for (const frame of frames) this.outbox.push(session, frame);
    if (frames.length > 0) session.s = only.position;
    return frames.length;
  }

  private async deliverOne(entry: RingEntry): Promise<void> {
    const { event } = entry;
    if (event.type === 'user-deleted') this.shutOut(event.data.userId);
    if (event.type === 'member-timed-out')
      for (const session of this.hearers.sessionsOf(event.data))
        session.isTimedOut(event.data.guildId, event.data.until);
    const listeners = new Set<Session>();
    for (const audience of entry.audiences) {
      const topic = this.subscriptions.topic(audience);
      if (topic === undefined) continue;
      // A new channel also concerns sessions without the intent for it, because they receive its messages.
      const intents = begins(event) ? Intent.none : intentsOf(event.type, topic.guildId);
      const isForModerators = intents === Intent.guildModeration && isGuilds(topic);
      const heardBy = isForModerators ? this.subscriptions.moderators(topic) : topic.sessions;
      for (const session of heardBy) {
        if (hasAny(session.intents, intents)) listeners.add(session);
      }
    }
    const auditors = this.auditorsBeyond(listeners, event);
    const own =
      event.type === 'member-joined' || event.type === 'member-left' ? this.hearers.sessionsOf(event.data) : [];
    if (event.type === 'user-signed-out') return this.signedOut(event);
    if (event.type === 'guild-deleted') return this.hearers.guildDeleted(event);
    if (event.type === 'user-standing-changed' && !mayAct(event.data.standing)) return this.shutOut(event.data.userId);
    if (event.type === 'channel-deleted') await this.hearers.endChannel(event);
    if (changesAccess(event)) return this.deliverAccess(entry, event, listeners, auditors);
    if (listeners.size === 0 && own.length === 0 && auditors.size === 0) {
      if (ends(event)) this.subscriptions.end(channelAudience(event.data.channelId));
      return;
    }
    const { feed } = this.deps;
    const newcomers = newcomersBy(event, listeners);
    const fresh = begins(event) && newcomers.length > 0 ? [channelAudience(event.data.channelId)] : [];
    const soon = feed === undefined || fresh.length === 0 || (await this.heardSoon(feed, fresh));
    try {
      if (feed !== undefined && event.type === 'member-joined') this.delay(own, listeners, event);
      const entering = event.type === 'thread-members-changed' ? this.hearers.entering(event) : [];
      // Its events may not arrive here yet.
      if (feed !== undefined) this.delay(entering, listeners, event);
      if (!soon) this.delay(newcomers, listeners, event);
      const isHeard = listeners.size + auditors.size > 0;
      const dispatches = isHeard ? await entry.dispatches(this.renderer, auditedIn(event) ?? null) : [];
      this.tellAll(listeners, dispatches);
      this.tellAll(auditors, forAuditors(dispatches));
      if (begins(event) && soon) this.hearers.joinChannel(event, newcomers, dispatches);
      if (ends(event)) this.subscriptions.end(channelAudience(event.data.channelId));
      if (event.type === 'thread-members-changed')
        await this.hearers.changeInsiders(event, feed === undefined ? entering : []);
      if (event.type === 'recipient-removed') this.hearers.leaveGroup(event.data, listeners);
      if (event.type === 'member-joined' && feed === undefined) await this.hearers.joined(event, own);
      if (event.type === 'member-left') this.hearers.left(event, own);
    } catch (error) {
      this.fail(error, event, [...listeners, ...auditors, ...own]);
    } finally {
      if (soon && fresh.length > 0) feed?.leave(fresh);
    }
  }

  /** Those who may want an audit log's entry and hear nothing else of the event. */
  private auditorsBeyond(listeners: ReadonlySet<Session>, event: ParleyEvent): Set<Session> {
    const auditors = new Set<Session>();
    const guildId = auditedIn(event);
    if (guildId === undefined) return auditors;
    const topic = this.subscriptions.topic(guildAudience(guildId));
    if (topic === undefined) return auditors;
    for (const session of this.subscriptions.moderators(topic)) if (!listeners.has(session)) auditors.add(session);
    return auditors;
  }

  private tellAll(sessions: Iterable<Session>, dispatches: readonly EncodedDispatch[]): void {
    let count = 0;
    for (const session of sessions) count += this.tell(session, dispatches);
    this.deps.metrics.dispatches(count);
  }

  /**
   * Who gains or loses channels is told so by frames that only they get, before those of the event: the last of an event's
   * frames carries its position. Where there is a feed, whoever gains one catches up, because its events may not arrive here yet.
   */
  private async deliverAccess(
    entry: RingEntry,
    event: AccessEvent,
    listeners: Set<Session>,
    auditors: Set<Session>,
  ): Promise<void> {
    const { subscriptions, deps } = this;
    const { guildId } = event.data;
    if (event.type === 'member-roles-changed')
      for (const session of this.hearers.sessionsOf(event.data)) session.hasRoles(guildId, event.data.roles);
    try {
      const at = depsAt(deps, event.position);
      const changes = await accessChanges(event, subscriptions, at.views.guilds);
      const isHeard = listeners.size + auditors.size > 0;
      const dispatches = isHeard ? await entry.dispatches(this.renderer, guildId) : [];
      const toldTo = (session: Session) => {
        if (listeners.has(session)) return dispatches;
        return auditors.has(session) ? forAuditors(dispatches) : [];
      };
      for (const [session, { gained, lost }] of changes) {
        for (const { id } of lost) subscriptions.leave(session, channelAudience(id));
        if (deps.feed !== undefined && gained.length > 0) this.delay([session], listeners, event);
        else await this.tellAccess(session, { gained, lost }, toldTo(session), event);
        listeners.delete(session);
        auditors.delete(session);
      }
      this.tellAll(listeners, dispatches);
      this.tellAll(auditors, forAuditors(dispatches));
    } catch (error) {
      this.fail(error, event, subscriptions.topic(guildAudience(guildId))?.sessions ?? []);
    }
  }

  private async tellAccess(
    session: Session,
    { gained, lost }: AccessChange,
    dispatches: readonly EncodedDispatch[],
    { position, type, data }: AccessEvent,
  ): Promise<void> {
    // Of an overwrite those who gain or lose the channel hear nothing else, but for the audit log's entry. Whoever gains or loses
    // only a thread in it keeps the channel, and is told.
    const overwritten = type === 'overwrite-set' || type === 'overwrite-deleted' ? data.channelId : undefined;
    const told = [...gained, ...lost].some(({ id }) => id === overwritten) ? forAuditors(dispatches) : dispatches;
    const frames = framesOf(told, session, session.s);
    const own = [
      ...(await lostChannelPayloads(this.deps, session, lost, session.s)),
      ...(await gainedChannelPayloads(this.deps, session, gained, session.s)),
    ].map(textFrame);
    if (frames.length === 0) own.push(...own.splice(-1).map((frame) => withSequence(frame, position)));
    if (!session.listening) return;
    for (const { id } of gained) this.subscriptions.join(session, channelAudience(id), data.guildId);
    this.send(session, [...own, ...frames], position);
  }

  /** Whether everything of these audiences arrives here from now on. A new channel usually takes a millisecond. */
  private async heardSoon(feed: Feed, audiences: readonly Audience[]): Promise<boolean> {
    const heard = feed.listen(audiences).then(() => true);
    if (await within(this.deps.clock, SOON_MS, heard)) return true;
    void heard.then(() => feed.leave(audiences));
    return false;
  }

  /** Sessions that are to hear more from this event on, where that takes a while: they wait, and nobody else does. */
  private delay(sessions: readonly Session[], listeners: Set<Session>, { position }: ParleyEvent): void {
    for (const session of sessions) {
      listeners.delete(session);
      this.fallBehind(session, position - 1);
    }
  }

  private signedOut({ data }: EventOf<'user-signed-out'>): void {
    const topic = this.subscriptions.topic(userAudience(data.userId));
    for (const session of [...(topic?.sessions ?? [])])
      if (!isSignedIn({ signedOut: data, standing: GOOD_STANDING }, session)) session.drop(Closings.signedOut);
  }

  private shutOut(userId: string): void {
    const topic = this.subscriptions.topic(userAudience(userId));
    for (const session of [...(topic?.sessions ?? [])]) session.drop(Closings.signedOut);
  }

  private send(session: Session, frames: readonly Buffer[], position: number): void {
    if (frames.length === 0) return;
    for (const frame of frames) this.outbox.push(session, frame);
    session.s = position;
    this.deps.metrics.dispatches(frames.length);
  }

  private fail(error: unknown, event: ParleyEvent, sessions: Iterable<Session>): void {
    this.deps.logger.error(
      { err: error, position: event.position, type: event.type },
      'an event could not be delivered',
    );
    for (const session of [...sessions]) session.close(Closings.notDelivered);
  }
}
