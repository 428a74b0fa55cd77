/**
 * What a session may see, read while the views stand still: its guilds, the visible channels in them, its direct
 * channels.
 */

import type { Viewer } from '../presenter/dispatch.ts';
import { isThread, presentEndedThread } from '../presenter/threads.ts';
import type { Views } from '../projections/port.ts';
import { Access } from '../projections/views/guild-views/access.ts';
import type { ChannelRow, GuildRow, MemberRow } from '../projections/views/guild-views/view.ts';
import type { ChannelHead } from '../projections/views/unread/view.ts';
import { hasAny, Intent } from '../schemas/gateway/frames.ts';
import { inParallel } from '../schemas/parallel.ts';
import { type Audience, channelAudience, guildAudience, userAudience } from '../schemas/streams.ts';
import { dispatchFrame, dispatchPayload } from './encoding.ts';
import type { GatewayDeps } from './ports.ts';
import type { Session } from './session.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface VisibleGuild {
  readonly guild: GuildRow;
  /** The session's own membership. */
  readonly member: MemberRow;
  readonly channels: readonly ChannelRow[];
  /** Those that are active. */
  readonly threads: readonly ChannelRow[];
}

/** The contents of a GUILD_CREATE. */
export interface GuildSnapshot extends VisibleGuild {
  readonly members: readonly MemberRow[];
  readonly heads: ReadonlyMap<string, ChannelHead>;
  readonly lastPinned: ReadonlyMap<string, number>;
}

export interface Scope {
  readonly guilds: readonly VisibleGuild[];
  readonly directChannels: readonly ChannelRow[];
}

export interface ScopeDeps extends Pick<GatewayDeps, 'access' | 'presenter'> {
  readonly views: Pick<Views, 'guilds' | 'pins' | 'unread'>;
}

/** Readers as of a position that is being delivered. Without a feed the views stand still at that position. */
export const depsAt = (deps: GatewayDeps, position: number): ScopeDeps => {
  if (deps.feed === undefined) return deps;
  const views = deps.feed.viewsAt(position);
  return { views, access: new Access(views.guilds, () => deps.clock.wallTime()), presenter: deps.presenter };
};

/** Discord's rule for which shard a guild belongs to. Direct messages belong to shard 0. */
export const onShard = (session: Session, guildId: string): boolean =>
  session.shardCount === 1 || Number((BigInt(guildId) >> 22n) % BigInt(session.shardCount)) === session.shardId;

/** Guilds read at the same time for one session. */
const TOGETHER = 8;

/** The channels and active threads of a guild that a member may view. */
export const visibleIn = async (
  access: ScopeDeps['access'],
  guild: GuildRow,
  member: MemberRow,
): Promise<Pick<VisibleGuild, 'channels' | 'threads'>> => {
  const [channels, threads] = await Promise.all([
    access.visibleChannels(guild, member),
    access.visibleThreads(guild, member),
  ]);
  return { channels, threads };
};

export const readScope = async (deps: ScopeDeps, session: Session): Promise<Scope> => {
  const { guilds: reader } = deps.views;
  const own = (await reader.guildsOf(session.userId)).filter((guild) => onShard(session, guild.id));
  const [guilds, directChannels] = await Promise.all([
    inParallel(own, TOGETHER, async (guild) => {
      const member = await reader.member(guild.id, session.userId);
      // Gone in the meantime, where the views do not stand still: the session then begins again.
      if (member === undefined) return [];
      return [{ guild, member, ...(await visibleIn(deps.access, guild, member)) }];
    }),
    session.shardId === 0 ? reader.directChannelsOf(session.userId) : [],
  ]);
  return { guilds: guilds.flat(), directChannels };
};

/**
 * The session with its rights at that position. What it is sent up to there is by those: it may change what it hears while that
 * is on its way.
 */
export const viewerIn = ({ userId, shardId }: Session, { guilds }: Scope): Viewer => {
  const members = new Map(guilds.map(({ guild, member }) => [guild.id, member]));
  return {
    ...{ userId, shardId },
    isIn: (guildId) => members.has(guildId),
    rolesIn: (guildId) => members.get(guildId)?.roles ?? [],
    timedOutUntil: (guildId) => members.get(guildId)?.timedOutUntil ?? 0,
  };
};

/**
 * Asks once for all heads and pins. In a guild with more members than the session's threshold, only the session's own
 * member is listed.
 */
export const readGuildSnapshots = async (
  deps: ScopeDeps,
  session: Session,
  visible: readonly VisibleGuild[],
): Promise<readonly GuildSnapshot[]> => {
  const { guilds, pins, unread } = deps.views;
  const ids = visible.flatMap(({ channels, threads }) => [...channels, ...threads].map(({ id }) => id));
  const membersOf = async ({ guild, member }: VisibleGuild) => {
    const few = guild.memberCount <= session.largeThreshold;
    return { members: few ? await guilds.members(guild.id, { limit: session.largeThreshold }) : [member] };
  };
  const [heads, lastPinned, members] = await Promise.all([
    unread.heads(ids),
    pins.lastPinned(ids),
    inParallel(visible, TOGETHER, membersOf),
  ]);
  return visible.map((one, n) => ({ ...one, ...members[n]!, heads, lastPinned }));
};

export const audiencesOfGuild = ({ guild, channels, threads }: VisibleGuild): Audience[] => [
  guildAudience(guild.id),
  ...channels.map((channel) => channelAudience(channel.id)),
  ...threads.map((thread) => channelAudience(thread.id)),
];

export const joinGuild = (subscriptions: Subscriptions, session: Session, visible: VisibleGuild): void => {
  const { id } = visible.guild;
  session.hasRoles(id, visible.member.roles);
  session.isTimedOut(id, visible.member.timedOutUntil);
  subscriptions.join(session, guildAudience(id), id);
  for (const channel of [...visible.channels, ...visible.threads])
    subscriptions.join(session, channelAudience(channel.id), id);
};

export const joinAll = (subscriptions: Subscriptions, session: Session, scope: Scope): void => {
  subscriptions.join(session, userAudience(session.userId), null);
  for (const visible of scope.guilds) joinGuild(subscriptions, session, visible);
  for (const channel of scope.directChannels) subscriptions.join(session, channelAudience(channel.id), null);
};

export const guildCreatePayload = async (
  deps: ScopeDeps,
  session: Session,
  snapshot: GuildSnapshot,
  s: number,
): Promise<string> => {
  const d = await deps.presenter.guildCreate({ ...snapshot, largeThreshold: session.largeThreshold });
  return dispatchPayload('GUILD_CREATE', s, JSON.stringify(d));
};

/**
 * Channels and threads that a session begins to see. The threads of a channel that it begins to see come together, as
 * THREAD_LIST_SYNC; any other thread is as one that is new to it.
 */
export const gainedChannelPayloads = async (
  { presenter, views }: ScopeDeps,
  session: Session,
  channels: readonly ChannelRow[],
  s: number,
): Promise<readonly string[]> => {
  if (channels.length === 0 || !hasAny(session.intents, Intent.guilds)) return [];
  const ids = channels.map(({ id }) => id);
  const [heads, pinned] = await Promise.all([views.unread.heads(ids), views.pins.lastPinned(ids)]);
  const shown = await inParallel(channels, TOGETHER, async (row) => {
    return { row, d: await presenter.channel(row, session.userId, heads.get(row.id), pinned.get(row.id)) };
  });
  const begun = new Set(channels.filter(({ thread }) => thread === undefined).map(({ id }) => id));
  const threads = shown.filter(({ row: { thread } }) => thread !== undefined && begun.has(thread.parentId));
  const payloads = shown
    .filter((one) => !threads.includes(one))
    .map(({ row, d }) => {
      const name = row.thread === undefined ? 'CHANNEL_CREATE' : 'THREAD_CREATE';
      return dispatchPayload(name, s, JSON.stringify(d));
    });
  const { guildId } = channels[0]!;
  for (const parentId of new Set(threads.map(({ row }) => row.thread!.parentId))) {
    const own = threads.filter(({ row }) => row.thread!.parentId === parentId).map(({ d }) => d);
    const members = own.flatMap(({ member }) => member ?? []);
    const list = { guild_id: guildId, channel_ids: [parentId], threads: own, members };
    payloads.push(dispatchPayload('THREAD_LIST_SYNC', s, JSON.stringify(list)));
  }
  return payloads;
};

/** Channels and threads that a session ceases to see. With a channel clients drop its threads. @param channels as it knows them: it is told nothing that came later */
export const lostChannelPayloads = async (
  { presenter }: Pick<ScopeDeps, 'presenter'>,
  session: Session,
  channels: readonly ChannelRow[],
  s: number,
): Promise<readonly string[]> => {
  if (!hasAny(session.intents, Intent.guilds)) return [];
  const gone = new Set(channels.map(({ id }) => id));
  const told = channels.filter(({ thread }) => thread === undefined || !gone.has(thread.parentId));
  return inParallel(told, TOGETHER, async (row) => {
    if (isThread(row)) return dispatchPayload('THREAD_DELETE', s, JSON.stringify(presentEndedThread(row)));
    const d = await presenter.channel({ ...row, overwrites: [] }, session.userId);
    return dispatchPayload('CHANNEL_DELETE', s, JSON.stringify(d));
  });
};

/** @param unavailable the guild comes back at once, because the user left it and joined it again. */
export const guildDeleteFrame = (guildId: string, s: number, unavailable: boolean): Buffer =>
  dispatchFrame('GUILD_DELETE', s, JSON.stringify(unavailable ? { id: guildId, unavailable } : { id: guildId }));
