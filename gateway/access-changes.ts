/** Which channels of a guild sessions gain and lose: by one event as it is delivered, and by all that they missed. */

import type { MemberRights } from '../domain/permissions.ts';
import { insidersOf, mayView, rightsAs, withParents } from '../projections/views/guild-views/access.ts';
import {
  revisedChannel,
  revisedGuild,
  revisedMember,
  revisedThread,
} from '../projections/views/guild-views/revised.ts';
import {
  channelSubject,
  fieldsOf,
  guildSubject,
  type Revision,
  threadSubject,
} from '../projections/views/guild-views/revisions.ts';
import type { ChannelRow, GuildReader, PastGuild } from '../projections/views/guild-views/view.ts';
import type { AccessType, EventOf } from '../schemas/events/catalogue.ts';
import { channelAudience, guildAudience } from '../schemas/streams.ts';
import type { VisibleGuild } from './scope.ts';
import type { Session } from './session.ts';
import type { Subscriptions } from './subscriptions.ts';

export type AccessEvent = EventOf<AccessType>;

/** Channels and threads that a session begins and ceases to see. */
export interface AccessChange {
  readonly gained: readonly ChannelRow[];
  readonly lost: readonly ChannelRow[];
}

/** Sessions in the guild that the event may concern. */
const concerned = (event: AccessEvent, subscriptions: Subscriptions): readonly Session[] => {
  const { guildId } = event.data;
  const sessions = [...(subscriptions.topic(guildAudience(guildId))?.sessions ?? [])];
  if (event.type === 'member-roles-changed') return sessions.filter(({ userId }) => userId === event.data.userId);
  const roleId = 'role' in event.data ? event.data.role.id : 'roleId' in event.data ? event.data.roleId : undefined;
  if (roleId === undefined || roleId === guildId) return sessions;
  return sessions.filter((session) => session.rolesIn(guildId).includes(roleId));
};

/** People with the same roles see the same, but for what a channel says of one of them. */
const viewKey = ({ userId, roles }: MemberRights, named: ReadonlySet<string>): string =>
  named.has(userId) ? `user ${userId}` : roles.join(' ');

/**
 * What sessions gain and lose by an event, compared with what they are subscribed to.
 * @param guilds as of the event
 */
export const accessChanges = async (
  event: AccessEvent,
  subscriptions: Subscriptions,
  guilds: Pick<GuildReader, 'guild' | 'member' | 'channel' | 'channelsOf' | 'threadsOf'>,
): Promise<ReadonlyMap<Session, AccessChange>> => {
  const changes = new Map<Session, AccessChange>();
  const sessions = concerned(event, subscriptions);
  if (sessions.length === 0) return changes;
  const { guildId } = event.data;
  const guild = await guilds.guild(guildId);
  if (guild === undefined) throw new Error(`The guild views lack guild ${guildId}`);
  const own = 'channelId' in event.data ? event.data.channelId : undefined;
  const above = own === undefined ? await guilds.channelsOf(guildId) : [(await guilds.channel(own)) ?? []].flat();
  const active = (await guilds.threadsOf(guildId)).filter(
    ({ thread }) => own === undefined || thread!.parentId === own,
  );
  const channels = [...above, ...withParents(active, above)];
  const insiders = new Map<string, ReadonlySet<string>>();
  for (const thread of active) insiders.set(thread.id, await insidersOf(guilds, thread));
  const named = new Set([
    guild.ownerId,
    ...[...insiders.values()].flatMap((users) => [...users]),
    ...channels.flatMap(({ overwrites }) => overwrites.filter(({ type }) => type === 1).map(({ id }) => id)),
  ]);
  const seenBy = new Map<string, ReadonlySet<ChannelRow>>();
  for (const session of sessions) {
    const member = { userId: session.userId, roles: session.rolesIn(guildId) };
    const key = viewKey(member, named);
    const views = (channel: ChannelRow) =>
      mayView(guild, channel, rightsAs(member, channel, insiders.get(channel.id) ?? NOBODY));
    const seen = seenBy.get(key) ?? new Set(channels.filter(views));
    seenBy.set(key, seen);
    const hears = (channel: ChannelRow) =>
      subscriptions.topic(channelAudience(channel.id))?.sessions.has(session) === true;
    const gained = channels.filter((channel) => seen.has(channel) && !hears(channel));
    const lost = channels.filter((channel) => !seen.has(channel) && hears(channel));
    if (gained.length + lost.length > 0) changes.set(session, { gained, lost });
  }
  return changes;
};

const NOBODY: ReadonlySet<string> = new Set();
const NO_CHANGE: AccessChange = { gained: [], lost: [] };

/** How a session's channels in a guild differ from those at its `s`. */
export interface AccessSince extends AccessChange {
  readonly guildId: string;
  /** Positions from which on it sees the channels that it has not seen all the time. */
  readonly seenFrom: ReadonlyMap<string, number>;
}

/** Revisions to compare at most; a session that missed more starts anew. */
export const MOST_REVISIONS = 1000;

/** Goes through what changed, one position after another, and notes since when each channel is seen. */
class Watch {
  /** Positions, by channel that is seen. */
  readonly since = new Map<string, number>();
  /** Positions, by private thread, of the event that let somebody in last. It is told, and shows the thread. */
  readonly entered = new Map<string, number>();
  /** All that were seen at some time, as they were then. */
  readonly seen = new Map<string, ChannelRow>();
  private readonly rows: Map<string, ChannelRow>;
  private past: PastGuild;

  constructor(past: PastGuild, after: number) {
    this.past = past;
    this.rows = new Map([...past.channels, ...past.threads].map((row) => [row.id, row]));
    for (const id of this.rows.keys()) this.look(id, after);
  }

  /** @param row as it was created */
  create(row: ChannelRow): void {
    this.rows.set(row.id, row);
    // The event that creates it is told.
    this.look(row.id, row.createdAt - 1);
  }

  revise(revision: Revision): void {
    const { subject, position } = revision;
    const { guild, member } = this.past;
    const id = subject.slice(subject.indexOf(':') + 1);
    const row = this.rows.get(id);
    if (subject === threadSubject(id)) {
      if (row?.thread !== undefined) this.rows.set(id, revisedThread(row, fieldsOf([revision])));
      this.look(id, position);
      if (this.since.get(id) === position) this.entered.set(id, position);
      return;
    }
    if (subject === channelSubject(id)) {
      if (row !== undefined) this.rows.set(id, revisedChannel(row, fieldsOf([revision])));
      this.look(id, position);
      for (const { id: threadId, thread } of this.rows.values())
        if (thread?.parentId === id) this.look(threadId, position);
      return;
    }
    this.past =
      subject === guildSubject(guild.id)
        ? { ...this.past, guild: revisedGuild(guild, fieldsOf([revision])) }
        : { ...this.past, member: revisedMember(member, fieldsOf([revision])) };
    for (const one of this.rows.keys()) this.look(one, position);
  }

  private withParent(row: ChannelRow): ChannelRow {
    return { ...row, thread: { ...row.thread!, parent: this.rows.get(row.thread!.parentId) } };
  }

  private look(id: string, position: number): void {
    const found = this.rows.get(id);
    const row = found?.thread === undefined ? found : this.withParent(found);
    const sees = row !== undefined && mayView(this.past.guild, row, this.past.member);
    if (!sees) {
      this.since.delete(id);
      return;
    }
    this.seen.set(id, found!);
    if (!this.since.has(id)) this.since.set(id, position);
  }
}

/** Those created since, as they were then: only those that changed since are asked for. */
const createdSince = async (
  guilds: GuildReader,
  { guild, member }: VisibleGuild,
  revisions: readonly Revision[],
  after: number,
): Promise<readonly ChannelRow[]> => {
  const all = [...(await guilds.channelsOf(guild.id)), ...(await guilds.threadsOf(guild.id, after))];
  const created = all.filter(({ createdAt }) => createdAt > after);
  const changed = new Set(revisions.map(({ subject }) => subject));
  const asBegun = async (row: ChannelRow) => {
    const { id, createdAt } = row;
    if (!changed.has(channelSubject(id)) && !changed.has(threadSubject(id))) return row;
    const past = await guilds.past(guild.id, member.userId, createdAt);
    return [...(past?.channels ?? []), ...(past?.threads ?? [])].find((one) => one.id === id);
  };
  return (await Promise.all(created.map(asBegun))).filter((row) => row !== undefined);
};

const sinceIn = async (
  guilds: GuildReader,
  visible: VisibleGuild,
  revisions: readonly Revision[],
  after: number,
): Promise<AccessSince | undefined> => {
  const { guild, member } = visible;
  const past = await guilds.past(guild.id, member.userId, after);
  if (past === undefined) return undefined;
  const watch = new Watch(past, after);
  const before = new Set(watch.since.keys());
  const created = await createdSince(guilds, visible, revisions, after);
  const steps = [
    ...created.map((row) => ({ at: row.createdAt, take: () => watch.create(row) })),
    ...revisions.map((revision) => ({ at: revision.position, take: () => watch.revise(revision) })),
  ].sort((a, b) => a.at - b.at);
  for (const { take } of steps) take();
  const begun = new Map(created.map((row) => [row.id, row.createdAt - 1]));
  const seenFrom = new Map([...watch.since].filter(([, from]) => from > after));
  return {
    guildId: guild.id,
    seenFrom,
    lost: [
      ...[...past.channels, ...past.threads].filter(
        ({ id }) => before.has(id) && (watch.since.get(id) ?? Infinity) > after,
      ),
      // Of an event's frames the last carries its position, so one that was gained and lost may have been told already.
      ...[...watch.seen.values()].filter(({ id }) => !before.has(id) && !watch.since.has(id)),
    ],
    gained: [...visible.channels, ...visible.threads].filter(
      ({ id }) => seenFrom.has(id) && seenFrom.get(id) !== begun.get(id) && seenFrom.get(id) !== watch.entered.get(id),
    ),
  };
};

/**
 * What a session gained and lost in its guilds.
 * @param guilds as of the position to which it catches up
 * @param joined positions of joining, by guild, of those that it is sent as a whole: of these only since when channels are seen
 * @returns `undefined` when too much has changed
 */
export const accessSince = async (
  guilds: GuildReader,
  { userId }: Session,
  visible: readonly VisibleGuild[],
  { after, joined }: { readonly after: number; readonly joined: ReadonlyMap<string, number> },
): Promise<readonly AccessSince[] | undefined> => {
  if (visible.length === 0) return [];
  const guildIds = visible.map(({ guild }) => guild.id);
  const revisions = await guilds.revisions(userId, { guildIds, after, limit: MOST_REVISIONS + 1 });
  if (revisions.length > MOST_REVISIONS) return undefined;
  const found = visible.map(async (one) => {
    const joinedAt = joined.get(one.guild.id);
    const from = joinedAt ?? after;
    const own = revisions.filter(({ guildId, position }) => guildId === one.guild.id && position > from);
    const access = own.length === 0 ? undefined : await sinceIn(guilds, one, own, from);
    return joinedAt === undefined || access === undefined ? access : { ...access, ...NO_CHANGE };
  });
  return (await Promise.all(found)).filter((access) => access !== undefined);
};
