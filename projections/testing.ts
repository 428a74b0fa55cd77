/** For specs of the read side: short ways to make events, and a log in memory. */

import { MemoryLog } from '../log/memory.ts';
import type { Sealed } from '../schemas/envelope.ts';
import type { EventData, ParleyEvent } from '../schemas/events/catalogue.ts';
import {
  type ChannelDetails,
  type ChannelKind,
  formerMessageType,
  type Mentions,
  NO_MENTIONS,
  type Overwrite,
  PLAIN,
} from '../schemas/events/channel.ts';
import { type GuildDetails, PLAIN_GUILD } from '../schemas/events/guild.ts';
import { type Bond, NO_BOND } from '../schemas/events/relationship.ts';
import type { GuildNotifications } from '../schemas/events/settings.ts';
import type { Standing } from '../schemas/events/user.ts';
import {
  ADMINISTRATORS_STREAM,
  channelStream,
  directStream,
  guildStream,
  inviteStream,
  memberStream,
  readStream,
  relationshipStream,
  settingsStream,
  userStream,
} from '../schemas/streams.ts';

/** Adds consistent events with the fields that the domain would fill in. */
export class Story {
  readonly log: MemoryLog;
  private readonly heads = new Map<string, number>();

  constructor(log = new MemoryLog()) {
    this.log = log;
  }

  user(userId: string, kind: 'person' | 'bot' | 'imported' = 'person', ownerId: string | null = null) {
    const sealed = { by: userId, box: `profile of ${userId}` };
    return this.log.add(userStream(userId), 'user-registered', { userId, kind, ownerId, sealed });
  }

  signOut(userId: string, generation: number, signIns: { id: string; until: number }[] = []) {
    return this.log.add(userStream(userId), 'user-signed-out', { userId, generation, signIns });
  }

  profile(userId: string, box: string, guilds: string[] = []) {
    return this.log.add(userStream(userId), 'user-profile-changed', { userId, guilds, sealed: { by: userId, box } });
  }

  standing(userId: string, standing: Standing) {
    return this.log.add(userStream(userId), 'user-standing-changed', { userId, standing });
  }

  deleted(userId: string, guilds: string[] = []) {
    return this.log.add(userStream(userId), 'user-deleted', { userId, guilds });
  }

  administrator(userId: string, administers: boolean) {
    return this.log.add(ADMINISTRATORS_STREAM, 'administrator-changed', { userId, administers });
  }

  guild(guildId: string, ownerId: string) {
    return this.log.add(guildStream(guildId), 'guild-created', {
      guildId,
      name: `guild ${guildId}`,
      ownerId,
      everyone: '3072',
      firstChannel: { id: `${guildId}1`, name: 'general' },
      systemChannelId: null,
    });
  }

  channel(channelId: string, guildId: string, kind: ChannelKind = 'text') {
    return this.log.add(channelStream(channelId), 'channel-created', {
      channelId,
      kind,
      guildId,
      name: `channel-${channelId}`,
      topic: null,
      ...PLAIN,
      overwrites: [{ id: guildId, type: 0, allow: '0', deny: '2048' }],
      participants: [],
    });
  }

  direct(channelId: string, a: string, b: string) {
    const participants = [a, b];
    this.log.add(directStream(a, b), 'dm-opened', { channelId, participants });
    return this.log.add(channelStream(channelId), 'channel-created', {
      channelId,
      kind: 'dm',
      guildId: null,
      name: null,
      topic: null,
      ...PLAIN,
      overwrites: [],
      participants,
    });
  }

  group(channelId: string, ...participants: string[]) {
    return this.log.add(channelStream(channelId), 'channel-created', {
      ...{ channelId, kind: 'group', guildId: null, name: null, topic: null, ...PLAIN },
      ...{ overwrites: [], participants },
    });
  }

  /** Somebody comes into a group. @param participants all of it afterwards, the owner first */
  enter(channelId: string, userId: string, ...participants: string[]) {
    const group = { name: null, ownerId: participants[0]!, participants };
    return this.log.add(channelStream(channelId), 'recipient-added', { channelId, userId, group });
  }

  /** Somebody leaves a group. @param participants all of it afterwards, the owner first */
  exit(channelId: string, userId: string, ...participants: string[]) {
    const group = { name: null, ownerId: participants[0] ?? userId, participants };
    return this.log.add(channelStream(channelId), 'recipient-removed', { channelId, userId, group });
  }

  editGroup(channelId: string, name: string | null, ownerId: string, ...participants: string[]) {
    const group = { name, ownerId, participants };
    return this.log.add(channelStream(channelId), 'group-edited', { channelId, group });
  }

  invite(
    code: string,
    guildId: string,
    channelId: string,
    inviterId: string,
    maxUses = 0,
    expiresAt: number | null = null,
  ) {
    const data = { code, guildId, channelId, inviterId, maxUses, expiresAt };
    return this.log.add(inviteStream(code), 'invite-created', data);
  }

  redeem(code: string, guildId: string, userId: string) {
    return this.log.add(inviteStream(code), 'invite-redeemed', { code, guildId, userId });
  }

  join(guildId: string, userId: string, invite: string | null = null) {
    const data = { guildId, userId, invite, announcedIn: null };
    return this.log.add(memberStream(guildId, userId), 'member-joined', data, userId);
  }

  leave(guildId: string, userId: string) {
    return this.log.add(memberStream(guildId, userId), 'member-left', { guildId, userId, how: 'left' });
  }

  ban(guildId: string, userId: string, reason?: Sealed) {
    const data = { guildId, userId, deleteMessageSeconds: 0, ...(reason && { reason: { sealed: reason } }) };
    return this.log.add(memberStream(guildId, userId), 'member-banned', data);
  }

  unban(guildId: string, userId: string) {
    return this.log.add(memberStream(guildId, userId), 'member-unbanned', { guildId, userId });
  }

  rename(guildId: string, userId: string, sealed: Sealed) {
    return this.log.add(memberStream(guildId, userId), 'member-renamed', { guildId, userId, sealed });
  }

  timeOut(guildId: string, userId: string, until: number | null) {
    return this.log.add(memberStream(guildId, userId), 'member-timed-out', { guildId, userId, until });
  }

  role(guildId: string, roleId: string, permissions = '0', position = 1) {
    const role = {
      id: roleId,
      name: `role ${roleId}`,
      permissions,
      color: 0,
      hoist: false,
      mentionable: false,
      position,
      botId: null,
    };
    return this.log.add(guildStream(guildId), 'role-created', { guildId, role });
  }

  editRole(guildId: string, roleId: string, permissions: string, position = 1) {
    const role = {
      id: roleId,
      name: roleId === guildId ? '@everyone' : `role ${roleId}`,
      permissions,
      color: 0,
      hoist: false,
      mentionable: false,
      position,
      botId: null,
    };
    return this.log.add(guildStream(guildId), 'role-edited', { guildId, role });
  }

  deleteRole(guildId: string, roleId: string) {
    return this.log.add(guildStream(guildId), 'role-deleted', { guildId, roleId });
  }

  /** What is between two people, as the first of them has made it. */
  relate(by: string, other: string, bond: Bond, former: Bond = NO_BOND): ParleyEvent {
    return this.log.add(relationshipStream(by, other), 'relationship-changed', {
      ...{ by, people: [by, other], former, bond },
    });
  }

  /** @param guildId null: of direct messages */
  notify(userId: string, guildId: string | null, notifications: GuildNotifications): ParleyEvent {
    return this.log.add(settingsStream(userId), 'notifications-changed', { userId, guildId, notifications });
  }

  giveRoles(guildId: string, userId: string, roles: string[]) {
    return this.log.add(memberStream(guildId, userId), 'member-roles-changed', { guildId, userId, roles });
  }

  overwrite(channelId: string, guildId: string, overwrite: Overwrite) {
    return this.log.add(channelStream(channelId), 'overwrite-set', { channelId, guildId, overwrite });
  }

  editGuild(guildId: string, given: Partial<GuildDetails>) {
    const details = { name: '', description: null, ...PLAIN_GUILD, ...given };
    return this.log.add(guildStream(guildId), 'guild-edited', { guildId, details });
  }

  thread(channelId: string, guildId: string, parentId: string, creator: string, isPrivate = false) {
    return this.log.add(channelStream(channelId), 'thread-created', {
      ...{ channelId, guildId, parentId, isPrivate, startedAt: null, firstMessageId: null },
      details: { name: '', archived: false, locked: false, invitable: true, autoArchive: 60, archiveTime: 0 },
      creator: { userId: creator, joinedTime: 0, stay: 0 },
    });
  }

  archiveThread({ channelId, guildId, parentId, details: former }: EventData<'thread-created'>, archived = true) {
    const details = { ...former, archived };
    const data = { channelId, guildId, parentId, details, wasArchived: !archived, posted: 0 };
    return this.log.add(channelStream(channelId), 'thread-edited', data);
  }

  deleteThread({ channelId, guildId, parentId }: EventData<'thread-created'>) {
    return this.log.add(channelStream(channelId), 'thread-deleted', {
      ...{ channelId, guildId, parentId, isPrivate: false },
    });
  }

  deleteGuild(guildId: string) {
    return this.log.add(guildStream(guildId), 'guild-deleted', { guildId });
  }

  transferGuild(guildId: string, ownerId: string) {
    return this.log.add(guildStream(guildId), 'guild-transferred', { guildId, ownerId });
  }

  deleteInvite(code: string, guildId: string, channelId: string) {
    return this.log.add(inviteStream(code), 'invite-deleted', { code, guildId, channelId });
  }

  editChannel(channelId: string, guildId: string, given: Partial<ChannelDetails>) {
    const details = { name: '', topic: null, ...PLAIN, ...given };
    return this.log.add(channelStream(channelId), 'channel-edited', { channelId, guildId, details });
  }

  deleteChannel(channelId: string, guildId: string) {
    return this.log.add(channelStream(channelId), 'channel-deleted', { channelId, guildId, children: [] });
  }

  deleteOverwrite(channelId: string, guildId: string, overwriteId: string) {
    return this.log.add(channelStream(channelId), 'overwrite-deleted', { channelId, guildId, overwriteId });
  }

  /** The message's id combines the channel's id and the ordinal, so it is unique and increasing. */
  post(channelId: string, author: string, more: { mentions?: Mentions; replyTo?: string; nonce?: string } = {}) {
    const ordinal = (this.heads.get(channelId) ?? 0) + 1;
    this.heads.set(channelId, ordinal);
    return this.log.add(channelStream(channelId), 'message-posted', {
      messageId: messageId(channelId, ordinal),
      ordinal,
      author,
      messageType: formerMessageType(more.replyTo ?? null),
      replyTo: more.replyTo ?? null,
      mentions: more.mentions ?? NO_MENTIONS,
      flags: 0,
      nonce: more.nonce ?? null,
      sealed: { by: author, box: `message ${ordinal} in ${channelId}` },
    });
  }

  edit(channelId: string, ordinal: number, author: string, mentions = NO_MENTIONS, flags: number | null = 0) {
    return this.log.add(channelStream(channelId), 'message-edited', {
      messageId: messageId(channelId, ordinal),
      ordinal,
      author,
      mentions,
      flags,
      pinned: false,
      sealed: { by: author, box: `message ${ordinal} in ${channelId}, edited` },
    });
  }

  pin(channelId: string, ordinal: number, userId: string, pinnedTime: number, guildId: string | null = null) {
    const data = { messageId: messageId(channelId, ordinal), ordinal, author: userId, userId, pinnedTime, guildId };
    return this.log.add(channelStream(channelId), 'message-pinned', data);
  }

  unpin(
    channelId: string,
    ordinal: number,
    userId: string,
    {
      lastPinnedTime = null,
      deleted = false,
      guildId = null,
    }: { lastPinnedTime?: number | null; deleted?: boolean; guildId?: string | null } = {},
  ) {
    const about = { messageId: messageId(channelId, ordinal), ordinal, author: userId, userId };
    const data = { ...about, lastPinnedTime, deleted, guildId };
    return this.log.add(channelStream(channelId), 'message-unpinned', data);
  }

  remove(channelId: string, ordinal: number, author: string, guildId: string | null = null) {
    const data = { messageId: messageId(channelId, ordinal), ordinal, author, guildId };
    return this.log.add(channelStream(channelId), 'message-deleted', data);
  }

  suppressEmbeds(channelId: string, ordinal: number, flags: number) {
    const data = { messageId: messageId(channelId, ordinal), ordinal, author: '1', flags, pinned: false };
    return this.log.add(channelStream(channelId), 'embeds-suppressed', data);
  }

  removeAll(channelId: string, ordinals: readonly number[], author: string, guildId: string | null = null) {
    const messages = ordinals.map((ordinal) => ({ messageId: messageId(channelId, ordinal), ordinal, author }));
    return this.log.add(channelStream(channelId), 'messages-deleted', { messages, guildId });
  }

  react(channelId: string, ordinal: number, userId: string, emoji: string) {
    const data = { messageId: messageId(channelId, ordinal), ordinal, author: '1', userId, emoji };
    return this.log.add(channelStream(channelId), 'reaction-added', data);
  }

  unreact(channelId: string, ordinal: number, userId: string, emoji: string) {
    const data = { messageId: messageId(channelId, ordinal), ordinal, author: '1', userId, emoji };
    return this.log.add(channelStream(channelId), 'reaction-removed', data);
  }

  clear(channelId: string, ordinal: number, emoji: string | null) {
    const data = { messageId: messageId(channelId, ordinal), ordinal, author: '1', emoji };
    return this.log.add(channelStream(channelId), 'reactions-cleared', data);
  }

  read(userId: string, channels: Record<string, number>) {
    return this.log.add(readStream(userId), 'channels-read', { userId, channels, back: {}, whole: false });
  }

  /** @param last ordinal of the channel's last message */
  markUnread(userId: string, channelId: string, ordinal: number, last: number, whole = false) {
    const data = { userId, channels: { [channelId]: ordinal }, back: { [channelId]: last }, whole };
    return this.log.add(readStream(userId), 'channels-read', data);
  }

  /** The events beyond a position, as a projection receives them. */
  since(position: number): readonly ParleyEvent[] {
    return this.log.all.slice(position);
  }
}

export const messageId = (channelId: string, ordinal: number): string =>
  (BigInt(channelId) * 1_000_000n + BigInt(ordinal)).toString();
