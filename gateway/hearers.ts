/** Which sessions begin and cease to hear something by an event, while it is delivered. */

import { mayView, withParent } from '../projections/views/guild-views/access.ts';
import { rowOfMember } from '../projections/views/guild-views/view.ts';
import type { EventOf, ParleyEvent } from '../schemas/events/catalogue.ts';
import { channelAudience, guildAudience, userAudience } from '../schemas/streams.ts';
import type { EncodedDispatch } from './encoding.ts';
import { textFrame } from './frame-bytes.ts';
import type { GatewayDeps } from './ports.ts';
import {
  depsAt,
  type GuildSnapshot,
  guildCreatePayload,
  guildDeleteFrame,
  joinGuild,
  onShard,
  readGuildSnapshots,
  visibleIn,
} from './scope.ts';
import type { Session } from './session.ts';
import type { Subscriptions } from './subscriptions.ts';

export type Beginning = EventOf<'channel-created' | 'recipient-added' | 'thread-created' | 'thread-edited'>;

/** Whether people begin to hear a channel by it: it is created, they come into a group, or an archived thread is active again. */
export const begins = (event: ParleyEvent): event is Beginning =>
  event.type === 'channel-created' ||
  event.type === 'recipient-added' ||
  event.type === 'thread-created' ||
  (event.type === 'thread-edited' && event.data.wasArchived && !event.data.details.archived);

/** Those of the listeners who begin to hear a channel by the event. */
export const newcomersBy = (event: ParleyEvent, listeners: Iterable<Session>): readonly Session[] => {
  if (!begins(event)) return [];
  if (event.type !== 'recipient-added') return [...listeners];
  return [...listeners].filter(({ userId }) => userId === event.data.userId);
};

/** Whether nobody hears the thread after it. */
export const ends = (event: ParleyEvent): event is EventOf<'thread-edited' | 'thread-deleted'> =>
  event.type === 'thread-deleted' || (event.type === 'thread-edited' && event.data.details.archived);

/** Frames of an event that one session gets alone. */
type Send = (session: Session, frames: readonly Buffer[], position: number) => void;

export class Hearers {
  private readonly deps: GatewayDeps;
  private readonly subscriptions: Subscriptions;
  private readonly send: Send;

  constructor(deps: GatewayDeps, subscriptions: Subscriptions, send: Send) {
    this.deps = deps;
    this.subscriptions = subscriptions;
    this.send = send;
  }

  sessionsOf({ guildId, userId }: { guildId: string; userId: string }): Session[] {
    const topic = this.subscriptions.topic(userAudience(userId));
    return topic === undefined ? [] : [...topic.sessions].filter((session) => onShard(session, guildId));
  }

  /** With a channel its threads end. */
  async endChannel({ data: { channelId, guildId }, position }: EventOf<'channel-deleted'>): Promise<void> {
    this.subscriptions.end(channelAudience(channelId));
    if (this.subscriptions.topic(guildAudience(guildId)) === undefined) return;
    const threads = await depsAt(this.deps, position).views.guilds.threadsOf(guildId);
    for (const { id, thread } of threads)
      if (thread!.parentId === channelId) this.subscriptions.end(channelAudience(id));
  }

  /** Sessions that hear a private thread from the event on. */
  entering({ data: { channelId, guildId, isPrivate, added } }: EventOf<'thread-members-changed'>): Session[] {
    if (!isPrivate) return [];
    const topic = this.subscriptions.topic(channelAudience(channelId));
    return added
      .flatMap(({ userId }) => this.sessionsOf({ guildId, userId }))
      .filter((session) => session.listening && topic?.sessions.has(session) !== true);
  }

  /** Whoever is added to a private thread hears it, and whoever is removed from it ceases to. */
  async changeInsiders(event: EventOf<'thread-members-changed'>, entering: readonly Session[]): Promise<void> {
    const { channelId, guildId, isPrivate, removed } = event.data;
    if (!isPrivate) return;
    const audience = channelAudience(channelId);
    for (const session of entering) if (session.listening) this.subscriptions.join(session, audience, guildId);
    const hears = (session: Session) => this.subscriptions.topic(audience)?.sessions.has(session) === true;
    const of = (userIds: readonly string[]) => userIds.flatMap((userId) => this.sessionsOf({ guildId, userId }));
    const leaving = of(removed).filter(hears);
    if (leaving.length === 0) return;
    const { views } = depsAt(this.deps, event.position);
    const [guild, row] = await Promise.all([views.guilds.guild(guildId), views.guilds.channel(channelId)]);
    const thread = row === undefined ? undefined : await withParent(views.guilds, row);
    for (const session of leaving) {
      const member = { userId: session.userId, roles: session.rolesIn(guildId) };
      const manages = guild !== undefined && thread !== undefined && mayView(guild, thread, member);
      if (!manages) this.subscriptions.leave(session, audience);
    }
  }

  leaveGroup(gone: EventOf<'recipient-removed'>['data'], listeners: Iterable<Session>): void {
    for (const session of [...listeners])
      if (session.userId === gone.userId) this.subscriptions.leave(session, channelAudience(gone.channelId));
  }

  joinChannel(event: Beginning, listeners: Iterable<Session>, told: readonly EncodedDispatch[]): void {
    const { channelId } = event.data;
    const guildId = 'guildId' in event.data ? event.data.guildId : null;
    for (const session of listeners) {
      if (session.listening && told.some((dispatch) => !dispatch.toAuditors && dispatch.concerns(session)))
        this.subscriptions.join(session, channelAudience(channelId), guildId);
    }
  }

  /** Where there is no feed. A batch ends where rights change, so the views are exactly at this event. */
  async joined(event: EventOf<'member-joined'>, own: readonly Session[]): Promise<void> {
    if (own.length === 0) return;
    const { deps } = this;
    const guild = await deps.views.guilds.guild(event.data.guildId);
    if (guild === undefined) throw new Error(`The guild views lack guild ${event.data.guildId}`);
    const member = rowOfMember(event);
    const visible = await visibleIn(deps.access, guild, member);
    for (const session of own) {
      const [snapshot] = (await readGuildSnapshots(deps, session, [{ guild, member, ...visible }])) as [GuildSnapshot];
      const frame = textFrame(await guildCreatePayload(deps, session, snapshot, event.position));
      if (!session.listening) continue;
      joinGuild(this.subscriptions, session, snapshot);
      this.send(session, [frame], event.position);
    }
  }

  left(event: EventOf<'member-left'>, own: readonly Session[]): void {
    const { guildId } = event.data;
    for (const session of own) {
      if (!session.topics.some((topic) => topic.audience === guildAudience(guildId))) continue;
      this.subscriptions.leaveGuild(session, guildId);
      this.send(session, [guildDeleteFrame(guildId, event.position, false)], event.position);
    }
  }

  /** To all of its people, whatever else they want to hear. */
  guildDeleted({ data: { guildId }, position }: EventOf<'guild-deleted'>): void {
    for (const session of [...(this.subscriptions.topic(guildAudience(guildId))?.sessions ?? [])]) {
      this.subscriptions.leaveGuild(session, guildId);
      this.send(session, [guildDeleteFrame(guildId, position, false)], position);
    }
  }
}
