/** What a user may see and do. Loads from the guild views what the single permission function of `domain` needs. */

import type * as channel from '../../../domain/channel.ts';
import {
  allows,
  channelPermissions,
  guildPermissions,
  type MemberRights,
  Permission,
} from '../../../domain/permissions.ts';
import { RelationshipType } from '../../../domain/relationship.ts';
import { mayAct } from '../../../schemas/events/user.ts';
import { type Soon, soon } from '../../../schemas/soon.ts';
import type { ReportRow } from '../reports/view.ts';
import type { ChannelRow, GuildReader, GuildRow, MemberRow, UserRow } from './view.ts';

/**
 * Whether a token still counts, although its owner may have signed out since, or may no longer use the account.
 * @param token its generation, which a bot's has not, and the sign-in that it comes from
 */
export const isSignedIn = (
  { signedOut, standing }: Pick<UserRow, 'signedOut' | 'standing'>,
  { generation, signIn }: { readonly generation?: number | undefined; readonly signIn?: string | undefined },
): boolean => {
  if (!mayAct(standing)) return false;
  if (generation === undefined) return true;
  return generation >= signedOut.generation && !signedOut.signIns.some(({ id }) => id === signIn);
};

/** Those of some people who block the user. */
export const blockersOf = async (
  guilds: GuildReader,
  userId: string,
  people: readonly string[],
): Promise<ReadonlySet<string>> => {
  if (people.length === 0) return new Set();
  const relations = await guilds.relationsTo(userId, people);
  return new Set(people.filter((id) => relations.get(id) === RelationshipType.blocked));
};

/** Whether one of two people blocks the other. */
export const isBlockBetween = async (guilds: GuildReader, a: string, b: string): Promise<boolean> => {
  const [theirs, own] = await Promise.all([blockersOf(guilds, a, [b]), blockersOf(guilds, b, [a])]);
  return theirs.size + own.size > 0;
};

/** Whether one of the two people of a direct channel blocks the other. In a group everybody speaks. */
export const isBlocked = async (
  guilds: GuildReader,
  userId: string,
  { kind, participants }: ChannelRow,
): Promise<boolean> => {
  const other = participants.find((id) => id !== userId);
  return other !== undefined && kind !== 'group' && (await isBlockBetween(guilds, userId, other));
};

/** A thread with the channel that it is in, whose overwrites are its own; any other channel as it is. */
export const withParent = (guilds: Pick<GuildReader, 'channel'>, channel: ChannelRow): Soon<ChannelRow> => {
  const { thread } = channel;
  if (thread === undefined) return channel;
  const inside = (parent: ChannelRow | undefined): ChannelRow => ({ ...channel, thread: { ...thread, parent } });
  const parent = guilds.channel(thread.parentId);
  return soon(parent, inside);
};

/** As `withParent`, of many. @param channels all of the guild that are not threads */
export const withParents = (threads: readonly ChannelRow[], channels: readonly ChannelRow[]): readonly ChannelRow[] => {
  const parents = new Map(channels.map((channel) => [channel.id, channel]));
  return threads.map((row) => ({ ...row, thread: { ...row.thread!, parent: parents.get(row.thread!.parentId) } }));
};

/** Those in a private thread who have not left the guild since. In a public one it gives nobody a right. */
export const insidersOf = async (
  guilds: Pick<GuildReader, 'member'>,
  { guildId, thread }: ChannelRow,
): Promise<ReadonlySet<string>> => {
  if (thread?.isPrivate !== true || guildId === null) return new Set();
  const found = await Promise.all(
    Object.entries(thread.members).map(async ([userId, { stay }]) => {
      const member = await guilds.member(guildId, userId);
      return member?.joinedAt === stay ? [userId] : [];
    }),
  );
  return new Set(found.flat());
};

/** Of somebody of whom only the roles are at hand. @param insiders of the thread, if the channel is one */
export const rightsAs = (
  { userId, roles }: Pick<MemberRights, 'userId' | 'roles'>,
  { thread }: ChannelRow,
  insiders: ReadonlySet<string>,
): MemberRights =>
  insiders.has(userId) ? { userId, roles, joinedAt: thread!.members[userId]!.stay } : { userId, roles };

/** A caller with all that the views know of their guild and their place in it. */
export interface CallerInChannel extends channel.ChannelActor {
  readonly guild: GuildRow | undefined;
  readonly member: (MemberRow & MemberRights) | undefined;
}

/** A member at a time: a timeout ends by itself. @param now in milliseconds since 1970 */
export const memberAt = (member: MemberRow, now: number): MemberRow & MemberRights =>
  member.timedOutUntil === null ? member : { ...member, isTimedOut: member.timedOutUntil > now };

interface Place {
  /** A thread has the channel that it is in. */
  readonly channel: ChannelRow;
  /** Absent for a direct channel. */
  readonly guild: GuildRow | undefined;
  readonly member: (MemberRow & MemberRights) | undefined;
  readonly permissions: bigint;
}

/** No guild and no channel has it. */
const NOTHING = '0';

interface Asking {
  readonly guilds: GuildReader;
  readonly userId: string;
  /** In milliseconds since 1970. */
  readonly now: number;
  /** Whether a channel that is deleted counts as it was. */
  readonly ofDeleted: boolean;
}

/**
 * A user's place in a channel that they see; `undefined` for any other and for one that does not exist. Both cost the same
 * questions, so that nobody learns from the time that a refusal takes what there is.
 */
const placeIn = (asking: Asking, channelId: string): Soon<Place | undefined> => {
  const row = asking.guilds.channel(channelId);
  return soon(row, (read) => placeInRow(asking, read));
};

const placeInRow = (asking: Asking, row: ChannelRow | undefined): Soon<Place | undefined> => {
  const { guilds, userId } = asking;
  const guildId = row?.guildId ?? undefined;
  const channel = row && withParent(guilds, row);
  const guild = guildId === undefined ? undefined : guilds.guild(guildId);
  const member = guildId === undefined ? undefined : guilds.member(guildId, userId);
  return channel instanceof Promise || guild instanceof Promise || member instanceof Promise
    ? Promise.all([channel, guild, member]).then((read) => placeOf(asking, ...read))
    : placeOf(asking, channel, guild, member);
};

const placeOf = (
  { guilds, userId, now, ofDeleted }: Asking,
  channel: ChannelRow | undefined,
  guild: GuildRow | undefined,
  found: MemberRow | undefined,
): Soon<Place | undefined> => {
  const guildId = channel?.guildId ?? undefined;
  const member = found && memberAt(found, now);
  if (channel !== undefined && (guildId === undefined || guild !== undefined)) {
    const known = ofDeleted && channel.isDeleted === true ? { ...channel, isDeleted: false } : channel;
    const permissions = channelPermissions(known, guild, userId, member);
    if (allows(permissions, Permission.viewChannel)) return { channel, guild, member, permissions };
  }
  return Promise.all([
    channel?.thread === undefined ? guilds.channel(NOTHING) : undefined,
    ...(guildId === undefined ? [guilds.guild(NOTHING), guilds.member(NOTHING, userId)] : []),
  ]).then(() => undefined);
};

/**
 * The author's place in the guild of a channel that they see. The overwrites are in the channel's own state, which decides.
 * One that is deleted counts: whoever deleted it may ask again.
 */
export const actorIn = (
  guilds: GuildReader,
  userId: string,
  channelId: string,
  now: number,
): Soon<CallerInChannel | undefined> => {
  const place = placeIn({ guilds, userId, now, ofDeleted: true }, channelId);
  return soon(place, (found) => callerIn(guilds, userId, found));
};

const callerIn = (guilds: GuildReader, userId: string, place: Place | undefined): Soon<CallerInChannel | undefined> => {
  if (place === undefined) return undefined;
  const { channel, guild, member } = place;
  if (guild === undefined)
    return isBlocked(guilds, userId, channel).then((blocked) => ({
      ...{ userId, guild: undefined, member: undefined, blocked },
    }));
  const { thread } = channel;
  return thread === undefined
    ? { userId, guild, member }
    : { userId, guild, member, parent: thread.parent as ChannelRow };
};

/** Whether a member of the guild may view a channel of it. */
export const mayView = (guild: GuildRow, channel: ChannelRow, member: MemberRights): boolean =>
  allows(channelPermissions(channel, guild, member.userId, member), Permission.viewChannel);

interface GuildAccess {
  readonly guild: GuildRow;
  readonly member: MemberRow & MemberRights;
  readonly permissions: bigint;
}

export class Access {
  private readonly guilds: GuildReader;
  private readonly now: () => number;

  /** @param now the clock, in milliseconds since 1970 */
  constructor(guilds: GuildReader, now: () => number) {
    this.guilds = guilds;
    this.now = now;
  }

  /**
   * `undefined` both for a channel that does not exist and for one the user may not view, so that callers cannot tell
   * them apart.
   */
  async channel(userId: string, channelId: string): Promise<Place | undefined> {
    return placeIn({ guilds: this.guilds, userId, now: this.now(), ofDeleted: false }, channelId);
  }

  /** `undefined` for a guild that does not exist or of which the user is not a member. */
  async guild(userId: string, guildId: string): Promise<GuildAccess | undefined> {
    const [guild, row] = await Promise.all([this.guilds.guild(guildId), this.guilds.member(guildId, userId)]);
    if (guild === undefined || row === undefined) return undefined;
    const member = memberAt(row, this.now());
    return { guild, member, permissions: guildPermissions(guild, member) };
  }

  /** The guild's channels that a member may view, in list order. */
  async visibleChannels(guild: GuildRow, member: MemberRights): Promise<ChannelRow[]> {
    const channels = await this.guilds.channelsOf(guild.id);
    return channels.filter((channel) => mayView(guild, channel, member));
  }

  /**
   * The guild's threads that are active and that a member may view.
   * @param since a position: with those that were active at some time beyond it
   */
  async visibleThreads(guild: GuildRow, member: MemberRights, since?: number): Promise<ChannelRow[]> {
    const threads = await this.guilds.threadsOf(guild.id, since);
    if (threads.length === 0) return [];
    const all = withParents(threads, await this.guilds.channelsOf(guild.id));
    return all.filter((thread) => mayView(guild, thread, member));
  }
}

/**
 * Whether somebody manages messages in a guild, or in some channel of it, and so handles its reports.
 * @returns undefined: they are not in the guild
 */
export const moderatesGuild = async (
  { access }: { readonly access: Pick<Access, 'guild' | 'visibleChannels'> },
  userId: string,
  guildId: string,
): Promise<boolean | undefined> => {
  const found = await access.guild(userId, guildId);
  if (found === undefined) return undefined;
  const { guild, member, permissions } = found;
  if (allows(permissions, Permission.manageMessages)) return true;
  const channels = await access.visibleChannels(guild, member);
  return channels.some((channel) =>
    allows(channelPermissions(channel, guild, userId, member), Permission.manageMessages),
  );
};

interface HandlingSources {
  readonly access: Pick<Access, 'channel' | 'guild'>;
  readonly guilds: Pick<GuildReader, 'administrators'>;
}

/**
 * Whether somebody handles a guild's report: whoever manages messages in the channel, and of a channel that is deleted
 * whoever administers the guild. Nobody hears of reports about themselves.
 */
export const moderates = async ({ access }: HandlingSources, userId: string, report: ReportRow): Promise<boolean> => {
  if (report.guildId === null || report.author === userId) return false;
  const [channel, guild] = await Promise.all([
    access.channel(userId, report.channelId),
    access.guild(userId, report.guildId),
  ]);
  if (channel !== undefined) return allows(channel.permissions, Permission.manageMessages);
  return guild !== undefined && allows(guild.permissions, Permission.administrator);
};

/** Whether somebody handles a report that is for the server's administrators. */
export const administers = async ({ guilds }: HandlingSources, userId: string, report: ReportRow): Promise<boolean> =>
  report.forAdministrators && report.author !== userId && (await guilds.administrators()).includes(userId);
