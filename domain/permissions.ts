/**
 * The permission rules that every route, command and dispatch uses.
 * Follows Discord's published algorithm: what @everyone and all roles give; then the channel's overwrites of @everyone, of
 * roles (all denials, then all allowances) and of the member; then what a timeout and missing rights take along.
 */
import type { Overwrite } from '../schemas/events/channel.ts';

/** Every permission bit of Discord by name, including those Parley does not use. */
export const Permission = {
  createInvite: 1n << 0n,
  kickMembers: 1n << 1n,
  banMembers: 1n << 2n,
  administrator: 1n << 3n,
  manageChannels: 1n << 4n,
  manageGuild: 1n << 5n,
  addReactions: 1n << 6n,
  viewAuditLog: 1n << 7n,
  prioritySpeaker: 1n << 8n,
  stream: 1n << 9n,
  viewChannel: 1n << 10n,
  sendMessages: 1n << 11n,
  sendTtsMessages: 1n << 12n,
  manageMessages: 1n << 13n,
  embedLinks: 1n << 14n,
  attachFiles: 1n << 15n,
  readMessageHistory: 1n << 16n,
  mentionEveryone: 1n << 17n,
  useExternalEmojis: 1n << 18n,
  viewGuildInsights: 1n << 19n,
  connect: 1n << 20n,
  speak: 1n << 21n,
  muteMembers: 1n << 22n,
  deafenMembers: 1n << 23n,
  moveMembers: 1n << 24n,
  useVoiceActivity: 1n << 25n,
  changeNickname: 1n << 26n,
  manageNicknames: 1n << 27n,
  manageRoles: 1n << 28n,
  manageWebhooks: 1n << 29n,
  manageGuildExpressions: 1n << 30n,
  useApplicationCommands: 1n << 31n,
  requestToSpeak: 1n << 32n,
  manageEvents: 1n << 33n,
  manageThreads: 1n << 34n,
  createPublicThreads: 1n << 35n,
  createPrivateThreads: 1n << 36n,
  useExternalStickers: 1n << 37n,
  sendMessagesInThreads: 1n << 38n,
  useEmbeddedActivities: 1n << 39n,
  moderateMembers: 1n << 40n,
  viewCreatorMonetizationAnalytics: 1n << 41n,
  useSoundboard: 1n << 42n,
  createGuildExpressions: 1n << 43n,
  createEvents: 1n << 44n,
  useExternalSounds: 1n << 45n,
  sendVoiceMessages: 1n << 46n,
  setVoiceChannelStatus: 1n << 48n,
  sendPolls: 1n << 49n,
  useExternalApps: 1n << 50n,
  pinMessages: 1n << 51n,
  bypassSlowmode: 1n << 52n,
} as const;

export const ALL_PERMISSIONS = Object.values(Permission).reduce((all, bit) => all | bit, 0n);

/** Permissions of @everyone in a new guild. */
export const DEFAULT_EVERYONE =
  Permission.createInvite |
  Permission.addReactions |
  Permission.viewChannel |
  Permission.sendMessages |
  Permission.embedLinks |
  Permission.attachFiles |
  Permission.readMessageHistory |
  Permission.mentionEveryone |
  Permission.changeNickname |
  Permission.createPublicThreads |
  Permission.createPrivateThreads |
  Permission.sendMessagesInThreads;

const DIRECT =
  Permission.addReactions |
  Permission.viewChannel |
  Permission.sendMessages |
  Permission.embedLinks |
  Permission.attachFiles |
  Permission.readMessageHistory |
  Permission.pinMessages;

/** Without the right to send, what goes along with a message is denied too. */
const WITH_A_MESSAGE =
  Permission.mentionEveryone | Permission.sendTtsMessages | Permission.attachFiles | Permission.embedLinks;

/** What a timeout leaves. */
const TIMED_OUT = Permission.viewChannel | Permission.readMessageHistory;

/** A role as far as rights need it. */
export interface RoleRights {
  readonly id: string;
  /** Bits as a decimal string. */
  readonly permissions: string;
  /** Place in the hierarchy; of two at the same place the one with the lower id is higher. */
  readonly position: number;
  /** Whether those may mention it who may not mention everyone. */
  readonly mentionable?: boolean;
}

export interface GuildRights {
  readonly id: string;
  readonly ownerId: string;
  /** Permissions of @everyone as a decimal string. */
  readonly everyone: string;
  /** All others, the lowest first. */
  readonly roles: readonly RoleRights[];
}

export interface MemberRights {
  readonly userId: string;
  /** Position at which the membership began. */
  readonly joinedAt?: number;
  /** Ids, also of roles that are deleted since. */
  readonly roles: readonly string[];
  readonly isTimedOut?: boolean;
}

/** A thread as far as rights need it. */
export interface ThreadRights {
  readonly isPrivate: boolean;
  /** By user id: the position at which each member of the thread had joined the guild. */
  readonly members: Readonly<Record<string, { readonly stay: number }>>;
  /** The channel that it is in. Without it nobody has any right in the thread. */
  readonly parent?: ChannelRights | undefined;
}

export interface ChannelRights {
  /** Its overwrites are those of its parent. */
  readonly thread?: ThreadRights;
  /** Nobody has any right in one that is deleted. */
  readonly isDeleted?: boolean;
  readonly guildId: string | null;
  readonly overwrites: readonly Overwrite[];
  readonly participants: readonly string[];
}

/** The lower role first. */
export const byPlace = (a: RoleRights, b: RoleRights): number =>
  a.position - b.position || (BigInt(a.id) < BigInt(b.id) ? 1 : -1);

/** The roles that a member has, the lowest first. Those that are deleted since are dropped. */
export const rolesOf = <Role extends RoleRights>(
  guild: { readonly roles: readonly Role[] },
  { roles }: Pick<MemberRights, 'roles'>,
): readonly Role[] => (roles.length === 0 ? [] : guild.roles.filter(({ id }) => roles.includes(id)));

const isOwner = (guild: GuildRights, { userId }: MemberRights): boolean => guild.ownerId === userId;

/** What @everyone and all roles give, before any timeout. */
const base = (guild: GuildRights, member: MemberRights): bigint => {
  if (isOwner(guild, member)) return ALL_PERMISSIONS;
  const given = rolesOf(guild, member).reduce((all, role) => all | BigInt(role.permissions), BigInt(guild.everyone));
  return (given & Permission.administrator) === 0n ? given : ALL_PERMISSIONS;
};

const timedOut = (permissions: bigint, { isTimedOut }: MemberRights): bigint =>
  isTimedOut === true && permissions !== ALL_PERMISSIONS ? permissions & TIMED_OUT : permissions;

/** Permissions in the guild as a whole. @param member `undefined` for a user who is not a member: they have none */
export const guildPermissions = (guild: GuildRights, member: MemberRights | undefined): bigint =>
  member === undefined ? 0n : timedOut(base(guild, member), member);

/**
 * Whether a member has a permission in the guild as a whole, as `guildPermissions` says. For many members of one guild:
 * what the roles give is looked at once.
 * @param permission a single one
 */
export const holdersOf = (guild: GuildRights, permission: bigint): ((member: MemberRights) => boolean) => {
  const all = [{ id: guild.id, permissions: guild.everyone }, ...guild.roles];
  const giving = (bit: bigint) =>
    new Set(all.flatMap(({ id, permissions }) => (allows(BigInt(permissions), bit) ? [id] : [])));
  const [administrators, holders] = [giving(Permission.administrator), giving(permission)];
  const isLeft = allows(TIMED_OUT, permission);
  return (member) => {
    const has = (roles: ReadonlySet<string>) => roles.has(guild.id) || member.roles.some((id) => roles.has(id));
    if (isOwner(guild, member) || has(administrators)) return true;
    return has(holders) && (isLeft || member.isTimedOut !== true);
  };
};

const overwritten = (permissions: bigint, overwrites: readonly Overwrite[]): bigint => {
  let [allow, deny] = [0n, 0n];
  for (const overwrite of overwrites) {
    allow |= BigInt(overwrite.allow);
    deny |= BigInt(overwrite.deny);
  }
  return (permissions & ~deny) | allow;
};

/**
 * Permissions in a channel.
 * @param guild the channel's guild; `undefined` for a direct channel
 * @param member the user's membership of the guild, if there is one
 */
export const channelPermissions = (
  channel: ChannelRights,
  guild: GuildRights | undefined,
  userId: string,
  member: MemberRights | undefined,
): bigint => {
  if (channel.isDeleted === true) return 0n;
  if (channel.thread !== undefined) return threadPermissions(channel.thread, guild, userId, member);
  if (guild === undefined) return channel.participants.includes(userId) ? DIRECT : 0n;
  if (member === undefined) return 0n;
  const permissions = overwrittenIn(channel, guild, userId, member);
  return permissions === ALL_PERMISSIONS ? permissions : withImplied(permissions, member);
};

/** As a person who is not timed out has them in a channel, with rights that go along with others. */
const overwrittenIn = (
  { overwrites }: ChannelRights,
  guild: GuildRights,
  userId: string,
  member: MemberRights,
): bigint => {
  const given = base(guild, member);
  // Most channels have none.
  if (given === ALL_PERMISSIONS || overwrites.length === 0) return given;
  const held = rolesOf(guild, member).map(({ id }) => id);
  // The id of the role @everyone is the guild's id.
  const ofEveryone = overwrites.filter(({ type, id }) => type === 0 && id === guild.id);
  const ofRoles = overwrites.filter(({ type, id }) => type === 0 && held.includes(id));
  const ofMember = overwrites.filter(({ type, id }) => type === 1 && id === userId);
  return [ofEveryone, ofRoles, ofMember].reduce(overwritten, given);
};

const withImplied = (permissions: bigint, member: MemberRights): bigint => {
  // A user who cannot see a channel can do nothing in it.
  if ((permissions & Permission.viewChannel) === 0n) return 0n;
  const implied = (permissions & Permission.sendMessages) === 0n ? permissions & ~WITH_A_MESSAGE : permissions;
  return timedOut(implied, member);
};

/** Whether a person has joined a thread, since they last joined its guild. */
export const isInThread = ({ members }: Pick<ThreadRights, 'members'>, { userId, joinedAt }: MemberRights): boolean =>
  Object.hasOwn(members, userId) && members[userId]!.stay === joinedAt;

/**
 * Permissions in a thread: those in its parent, where SEND_MESSAGES_IN_THREADS stands for SEND_MESSAGES. A private thread
 * exists for its members and for those who manage threads.
 */
const threadPermissions = (
  thread: ThreadRights,
  guild: GuildRights | undefined,
  userId: string,
  member: MemberRights | undefined,
): bigint => {
  const { parent } = thread;
  if (parent === undefined || parent.isDeleted === true || guild === undefined || member === undefined) return 0n;
  const above = overwrittenIn(parent, guild, userId, member);
  if (above === ALL_PERMISSIONS) return above;
  const maySend = (above & Permission.sendMessagesInThreads) !== 0n;
  const permissions = withImplied(maySend ? above | Permission.sendMessages : above & ~Permission.sendMessages, member);
  if (thread.isPrivate && (above & Permission.manageThreads) === 0n && !isInThread(thread, member)) return 0n;
  return permissions;
};

/** The highest of a member's roles; `undefined` for one with none but @everyone. */
const highest = (guild: GuildRights, member: MemberRights): RoleRights | undefined => rolesOf(guild, member).at(-1);

/** Whether a member may act on a role: their highest is above it. The owner may act on every one. */
export const outranksRole = (guild: GuildRights, member: MemberRights, role: RoleRights): boolean => {
  if (isOwner(guild, member)) return true;
  const own = highest(guild, member);
  return own !== undefined && byPlace(own, role) > 0;
};

/** Whether a member may act on another: their highest role is above the other's. Nobody may act on the owner. */
export const outranks = (guild: GuildRights, member: MemberRights, other: MemberRights): boolean => {
  if (isOwner(guild, other)) return false;
  if (isOwner(guild, member)) return true;
  const [own, theirs] = [highest(guild, member), highest(guild, other)];
  return own !== undefined && (theirs === undefined || byPlace(own, theirs) > 0);
};

export const allows = (permissions: bigint, wanted: bigint): boolean => (permissions & wanted) === wanted;

/** As `allows`, for bits that clients give on: who may do everything may also give bits that have no name here. */
export const allowsAll = (permissions: bigint, bits: bigint): boolean =>
  permissions === ALL_PERMISSIONS || allows(permissions, bits);

/** @param overwrite what takes the place of the one of this id; `undefined`: nothing. The others stay in order. */
export const overwritesWith = (
  overwrites: readonly Overwrite[],
  id: string,
  overwrite: Overwrite | undefined,
): readonly Overwrite[] => {
  const at = overwrites.findIndex((one) => one.id === id);
  if (overwrite === undefined) return at === -1 ? overwrites : overwrites.toSpliced(at, 1);
  return at === -1 ? [...overwrites, overwrite] : overwrites.with(at, overwrite);
};
