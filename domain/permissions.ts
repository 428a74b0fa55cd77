/**
 * The permission rules that every route, command and dispatch uses.
 * Follows Discord's published algorithm: base permissions of the guild, then the channel's overwrites.
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
  Permission.changeNickname;

const DIRECT =
  Permission.addReactions |
  Permission.viewChannel |
  Permission.sendMessages |
  Permission.embedLinks |
  Permission.attachFiles |
  Permission.readMessageHistory |
  Permission.pinMessages;

export interface GuildRights {
  readonly id: string;
  readonly ownerId: string;
  /** Permissions of @everyone as a decimal string. */
  readonly everyone: string;
}

export interface ChannelRights {
  readonly guildId: string | null;
  readonly overwrites: readonly Overwrite[];
  readonly participants: readonly string[];
}

/** Permissions in the guild as a whole. A user who is not a member has none. */
export const guildPermissions = (guild: GuildRights, userId: string, isMember: boolean): bigint => {
  if (!isMember) return 0n;
  if (guild.ownerId === userId) return ALL_PERMISSIONS;
  const base = BigInt(guild.everyone);
  return (base & Permission.administrator) === 0n ? base : ALL_PERMISSIONS;
};

/**
 * Permissions in a channel.
 * @param guild the channel's guild; `undefined` for a direct channel.
 */
export const channelPermissions = (
  channel: ChannelRights,
  guild: GuildRights | undefined,
  userId: string,
  isMember: boolean,
): bigint => {
  if (guild === undefined) return channel.participants.includes(userId) ? DIRECT : 0n;
  const base = guildPermissions(guild, userId, isMember);
  if (base === 0n || base === ALL_PERMISSIONS) return base;
  let permissions = base;
  // The id of the role @everyone is the guild's id.
  for (const overwrite of channel.overwrites) {
    if (overwrite.id === guild.id) permissions = (permissions & ~BigInt(overwrite.deny)) | BigInt(overwrite.allow);
  }
  for (const overwrite of channel.overwrites) {
    if (overwrite.type === 1 && overwrite.id === userId)
      permissions = (permissions & ~BigInt(overwrite.deny)) | BigInt(overwrite.allow);
  }
  // A user who cannot see a channel can do nothing in it.
  return (permissions & Permission.viewChannel) === 0n ? 0n : permissions;
};

export const allows = (permissions: bigint, wanted: bigint): boolean => (permissions & wanted) === wanted;
