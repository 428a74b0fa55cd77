/** Turns an event into its dispatches, whoever receives them and whenever. */

import { allows, holdersOf, Permission } from '../domain/permissions.ts';
import { relationOf } from '../domain/relationship.ts';
import { changedMember } from '../projections/views/guild-views/revised.ts';
import {
  type ChannelRow,
  type GuildRow,
  rowOfChannel,
  rowOfMember,
  withDetails,
} from '../projections/views/guild-views/view.ts';
import { auditedIn, type EventOf, type EventType, intentsOf, type ParleyEvent } from '../schemas/events/catalogue.ts';
import { MessageType } from '../schemas/events/channel.ts';
import type { Role } from '../schemas/events/guild.ts';
import { Intent } from '../schemas/gateway/frames.ts';
import { type Soon, soon } from '../schemas/soon.ts';
import { channelIdOf } from '../schemas/streams.ts';
import {
  type Dispatch,
  type DispatchDeps,
  dispatch,
  only,
  onlyDirect,
  others,
  type Rendering,
  rightsOf,
  type Viewer,
  withoutHead,
} from './dispatch.ts';
import { groupRenderings } from './group-dispatches.ts';
import { pinTimestamp, presentRole } from './guilds.ts';
import { presentNotifications } from './notifications.ts';
import { presentSelf } from './profiles.ts';
import { reportRenderings } from './report-dispatches.ts';
import type { ApiMessage, ApiUser } from './shapes.ts';
import { threadRenderings } from './thread-dispatches.ts';

export type { Dispatch, Viewer } from './dispatch.ts';

/** A message with its text, which everybody may read outside guilds, but nobody once the message is deleted. */
const message = (
  name: string,
  shown: ApiMessage,
  intents: number,
  guildId: string | null,
  deleted: ReadonlySet<string>,
): Dispatch => {
  const { id, referenced_message: target } = shown;
  return {
    name,
    data: withoutDeleted(withoutReactions(shown), deleted),
    intents,
    carriesText: guildId !== null,
    shows: target ? [id, target.id] : [id],
    visibleTo: null,
  };
};

const inGuild = (guildId: string | null) => (guildId === null ? {} : { guild_id: guildId });

/** For events that clients do not see. */
const silent = async (): Promise<readonly Dispatch[]> => [];

/** To those who see the channel before and after. */
const channelUpdate = async (
  { type, data: { channelId, guildId, ...changed } }: EventOf<'overwrite-set' | 'overwrite-deleted' | 'channel-edited'>,
  _: string | null,
  { presenter, views }: DispatchDeps,
): Promise<readonly Dispatch[]> => {
  const row = await views.guilds.channel(channelId);
  if (row === undefined) return [];
  const data = await withoutHead(presenter, withDetails(row, 'details' in changed ? changed.details : undefined));
  return [dispatch('CHANNEL_UPDATE', data, intentsOf(type, guildId))];
};

/** Who manages the channel at a time. */
const managersOf =
  (channel: ChannelRow, guild: GuildRow, time: number) =>
  (viewer: Viewer): boolean =>
    allows(rightsOf(viewer, channel, guild, { time }), Permission.manageChannels);

const inviteDeletion = (code: string, channel: ChannelRow, guild: GuildRow, time: number): Dispatch => {
  const data = { code, channel_id: channel.id, guild_id: guild.id };
  return dispatch('INVITE_DELETE', data, intentsOf('invite-deleted', guild.id), managersOf(channel, guild, time));
};

/** To those who could see it. Its invites end with it; and what a category held stands in none, whoever put it there last. */
const channelDeletion = async (
  { type, time, data: { channelId, guildId } }: EventOf<'channel-deleted'>,
  _: string | null,
  { presenter, views }: DispatchDeps,
): Promise<readonly Dispatch[]> => {
  const [guild, row, invites] = await Promise.all([
    views.guilds.guild(guildId),
    views.guilds.channel(channelId),
    views.guilds.invitesOf(guildId),
  ]);
  if (guild === undefined || row === undefined) return [];
  const channel = { ...row, isDeleted: false };
  const saw = (viewer: Viewer) => allows(rightsOf(viewer, channel, guild), Permission.viewChannel);
  const ended = invites.filter((invite) => invite.channelId === channelId);
  const held = row.kind === 'category' ? await views.guilds.channelsOf(guildId) : [];
  const left = held.filter(({ parentId, isDeleted }) => parentId === channelId && isDeleted !== true);
  const leaves = async (one: ChannelRow): Promise<Dispatch> => {
    const sees = (viewer: Viewer) => allows(rightsOf(viewer, one, guild), Permission.viewChannel);
    const data = await withoutHead(presenter, { ...one, parentId: null });
    return dispatch('CHANNEL_UPDATE', data, intentsOf('channel-edited', guildId), sees);
  };
  return [
    ...(await Promise.all(left.map(leaves))),
    ...ended.map(({ code }) => inviteDeletion(code, channel, guild, time)),
    dispatch('CHANNEL_DELETE', await presenter.channel(channel, ''), intentsOf(type, guildId), saw),
  ];
};

const role = (
  name: string,
  { type, data: { guildId } }: EventOf<'role-created'> | EventOf<'role-edited'> | EventOf<'roles-moved'>,
  shown: Role,
): Dispatch => dispatch(name, { guild_id: guildId, role: presentRole(shown) }, intentsOf(type, guildId));

/** As the event leaves them. Their own sessions need no intent. */
const memberUpdate = async (
  event: EventOf<'member-roles-changed' | 'member-renamed' | 'member-timed-out'>,
  _: string | null,
  { presenter, views }: DispatchDeps,
): Promise<readonly Dispatch[]> => {
  const { guildId, userId } = event.data;
  const row = await views.guilds.member(guildId, userId);
  if (row === undefined) return [];
  const data = { ...(await presenter.member(changedMember(row, [event]))), guild_id: guildId };
  return [
    dispatch('GUILD_MEMBER_UPDATE', data, Intent.guildMembers, others(userId)),
    dispatch('GUILD_MEMBER_UPDATE', data, Intent.none, only(userId)),
  ];
};

const ban =
  (name: 'GUILD_BAN_ADD' | 'GUILD_BAN_REMOVE') =>
  async (
    { type, data: { guildId, userId } }: EventOf<'member-banned' | 'member-unbanned'>,
    _: string | null,
    { presenter }: DispatchDeps,
  ): Promise<readonly Dispatch[]> => {
    const data = { guild_id: guildId, user: await presenter.user(userId) };
    return [dispatch(name, data, intentsOf(type, guildId), others(userId))];
  };

const messageUpdate = async (
  event: EventOf<'message-edited' | 'embeds-suppressed' | 'message-threaded'>,
  guildId: string | null,
  { presenter }: DispatchDeps,
  deleted: ReadonlySet<string>,
): Promise<readonly Dispatch[]> => {
  const shown = await presenter.edited(event, guildId);
  const intents = intentsOf(event.type, guildId);
  return shown === undefined ? [] : [message('MESSAGE_UPDATE', shown, intents, guildId, deleted)];
};

/** The guild with what the event changed about it. */
const guildUpdate = async (
  { type, data: { guildId } }: EventOf<'guild-edited' | 'guild-transferred' | 'guild-paused'>,
  changed: Partial<GuildRow>,
  { presenter, views }: DispatchDeps,
): Promise<readonly Dispatch[]> => {
  const row = await views.guilds.guild(guildId);
  if (row === undefined) return [];
  return [dispatch('GUILD_UPDATE', presenter.guild({ ...row, ...changed }), intentsOf(type, guildId))];
};

/** How clients see each type of event. */
const renderings: { readonly [K in EventType]: Rendering<K> } = {
  'message-posted': (event, guildId, { presenter }, deleted) => {
    // THREAD_CREATE tells of it, as the thread's last message: clients count every other one.
    if (event.data.messageType === MessageType.threadStarterMessage) return [];
    const create = (shown: ApiMessage) => [
      message('MESSAGE_CREATE', shown, intentsOf(event.type, guildId), guildId, deleted),
    ];
    const shown = presenter.posted(event, guildId);
    return soon(shown, create);
  },

  'message-edited': messageUpdate,
  'embeds-suppressed': messageUpdate,
  'message-threaded': messageUpdate,

  'message-deleted': async (event, guildId) => [
    dispatch('MESSAGE_DELETE', deletedMessage(event, guildId), intentsOf(event.type, guildId)),
  ],

  'messages-deleted': async (event, guildId) => {
    const ids = event.data.messages.map(({ messageId }) => messageId);
    const data = { ids, channel_id: channelIdOf(event.stream), ...inGuild(guildId), sequence: event.sequence };
    return [dispatch('MESSAGE_DELETE_BULK', data, intentsOf(event.type, guildId))];
  },

  'reaction-added': async (event, guildId, { presenter, views }) => {
    const row = guildId === null ? undefined : await views.guilds.member(guildId, event.data.userId);
    const member = row === undefined ? {} : { member: await presenter.member(row) };
    const data = { ...reaction(event, guildId), ...member, message_author_id: event.data.author };
    return [dispatch('MESSAGE_REACTION_ADD', data, intentsOf(event.type, guildId))];
  },

  'reaction-removed': async (event, guildId) => [
    dispatch('MESSAGE_REACTION_REMOVE', reaction(event, guildId), intentsOf(event.type, guildId)),
  ],

  'reactions-cleared': async (event, guildId) => {
    const { messageId, ordinal, emoji } = event.data;
    const on = { channel_id: channelIdOf(event.stream), message_id: messageId, ...inGuild(guildId) };
    const { name, what } =
      emoji === null
        ? { name: 'MESSAGE_REACTION_REMOVE_ALL', what: {} }
        : { name: 'MESSAGE_REACTION_REMOVE_EMOJI', what: { emoji: { id: null, name: emoji } } };
    const data = { ...on, ...what, sequence: event.sequence, ordinal };
    return [dispatch(name, data, intentsOf(event.type, guildId))];
  },

  'message-pinned': async (event, guildId, { presenter }, deleted) => {
    const shown = await presenter.edited(event, guildId);
    return pinsUpdate(event, event.data.pinnedTime, { shown, guildId, deleted });
  },

  'message-unpinned': async (event, guildId, { presenter }, deleted) => {
    // What happens to a deleted message is told by MESSAGE_DELETE alone.
    const shown = event.data.deleted ? undefined : await presenter.edited(event, guildId);
    return pinsUpdate(event, event.data.lastPinnedTime, { shown, guildId, deleted });
  },

  'channel-created': (event, _, deps) =>
    event.data.guildId === null ? directChannel(event, deps) : guildChannel(event, event.data.guildId, deps),

  'member-joined': async (event, _, { presenter }) => {
    const { type } = event;
    const { guildId, userId } = event.data;
    const data = { ...(await presenter.member(rowOfMember(event))), guild_id: guildId };
    return [dispatch('GUILD_MEMBER_ADD', data, intentsOf(type, guildId), others(userId))];
  },

  'member-left': async ({ type, data: { guildId, userId } }, _, { presenter }) => {
    const data = { guild_id: guildId, user: await presenter.user(userId) };
    return [dispatch('GUILD_MEMBER_REMOVE', data, intentsOf(type, guildId), others(userId))];
  },

  'invite-created': async (event, _, { presenter, views }) => {
    const { code, guildId, channelId, inviterId, maxUses, expiresAt } = event.data;
    const [channel, guild, shown] = await Promise.all([
      views.guilds.channel(channelId),
      views.guilds.guild(guildId),
      presenter.invite({
        ...{ code, guildId, channelId, inviterId, maxUses, expiresAt },
        uses: 0,
        createdTime: event.time,
      }),
    ]);
    if (channel === undefined || guild === undefined || shown === undefined) return [];
    const { created_at, expires_at, flags, inviter, max_age, max_uses, temporary, type, uses } = shown;
    const data = {
      ...{ code, created_at, expires_at, flags, inviter, max_age, max_uses, temporary, type, uses },
      channel_id: channelId,
      guild_id: guildId,
    };
    const manages = managersOf(channel, guild, event.time);
    return [dispatch('INVITE_CREATE', data, intentsOf(event.type, guildId), manages)];
  },

  'channels-read': async ({ type, position, data: { userId, channels, back, whole } }, _, deps) => {
    const backed = whole ? [] : Object.keys(back);
    // What is counted depends on the marker, which has just gone back; a marker that goes on asks for nothing of that.
    const { unread } = backed.length === 0 ? deps.views : deps.viewsAt(position);
    const { guilds } = deps.views;
    const heads = await unread.heads(Object.keys(channels));
    const roles = new Map<string, readonly string[]>();
    for (const channelId of backed) {
      const guildId = (await guilds.channel(channelId))?.guildId ?? null;
      if (guildId !== null) roles.set(channelId, (await guilds.member(guildId, userId))?.roles ?? []);
    }
    const marked = backed.length === 0 ? [] : await unread.readStates(userId, backed, (id) => roles.get(id) ?? []);
    const mentions = new Map(marked.map((state) => [state.channelId, state.mentions]));
    return Object.entries(channels).map(([channelId, ordinal]) => {
      const head = heads.get(channelId);
      const data = {
        channel_id: channelId,
        message_id: head !== undefined && head.ordinal === ordinal ? head.messageId : null,
        ordinal,
        ...(mentions.has(channelId) ? { manual: true, mention_count: mentions.get(channelId) } : {}),
      };
      return dispatch('MESSAGE_ACK', data, intentsOf(type, null));
    });
  },

  'relationship-changed': async ({ data: { people, former, bond }, time }, _, { presenter }) => {
    const told = people.map(async (userId, n): Promise<readonly Dispatch[]> => {
      const [before, type] = [relationOf(userId, former), relationOf(userId, bond)];
      if (type === before) return [];
      const id = people[1 - n]!;
      const isTheirs = only(userId);
      const one =
        type === undefined
          ? dispatch('RELATIONSHIP_REMOVE', { id, type: before, nickname: null }, Intent.none, isTheirs)
          : dispatch(
              'RELATIONSHIP_ADD',
              (await presenter.relationships([{ userId: id, type, since: time }]))[0]!,
              Intent.none,
              isTheirs,
            );
      return [{ ...one, toPeople: true }];
    });
    return (await Promise.all(told)).flat();
  },

  'notifications-changed': async ({ data: { guildId, notifications } }) => [
    {
      ...dispatch('USER_GUILD_SETTINGS_UPDATE', presentNotifications({ guildId, notifications }), Intent.none),
      toPeople: true,
    },
  ],

  'role-created': async (event) => [role('GUILD_ROLE_CREATE', event, event.data.role)],
  'role-edited': async (event) => [role('GUILD_ROLE_UPDATE', event, event.data.role)],
  'roles-moved': async (event) => event.data.roles.map((moved) => role('GUILD_ROLE_UPDATE', event, moved)),
  'role-deleted': async ({ type, data: { guildId, roleId } }) => [
    dispatch('GUILD_ROLE_DELETE', { guild_id: guildId, role_id: roleId }, intentsOf(type, guildId)),
  ],

  'member-roles-changed': memberUpdate,
  'member-renamed': memberUpdate,
  'member-timed-out': memberUpdate,

  'member-banned': ban('GUILD_BAN_ADD'),
  'member-unbanned': ban('GUILD_BAN_REMOVE'),

  'guild-edited': (event, _, deps) => guildUpdate(event, event.data.details, deps),
  'guild-transferred': (event, _, deps) => guildUpdate(event, { ownerId: event.data.ownerId }, deps),
  'guild-paused': (event, _, deps) => guildUpdate(event, { pauses: event.data.pauses }, deps),

  'invite-deleted': async ({ time, data: { code, guildId, channelId } }, _, { views }) => {
    const [channel, guild] = await Promise.all([views.guilds.channel(channelId), views.guilds.guild(guildId)]);
    return channel === undefined || guild === undefined ? [] : [inviteDeletion(code, channel, guild, time)];
  },
  'channel-edited': channelUpdate,
  'channel-deleted': channelDeletion,
  'overwrite-set': channelUpdate,
  'overwrite-deleted': channelUpdate,

  ...reportRenderings,
  ...threadRenderings,
  ...groupRenderings,

  'guild-created': silent,
  // Each session is sent the guild's end in its own way.
  'guild-deleted': silent,
  'channel-requested': silent,
  'transfer-requested': silent,
  'ownership-taken': silent,
  'ownership-ended': silent,
  'channels-moved': silent,
  'invite-redeemed': silent,
  'dm-opened': silent,
  'creation-named': silent,
  'user-profile-changed': async (event, _, deps) => {
    const { userId, guilds } = event.data;
    const changed = await deps.presenter.changed(event);
    const own = dispatch('USER_UPDATE', presentSelf(changed), Intent.none, only(userId));
    return [own, ...(await memberUpdates(userId, guilds, changed.user, deps))];
  },

  'user-deleted': async ({ data: { userId, guilds } }, _, deps) =>
    memberUpdates(userId, guilds, await deps.presenter.user(userId), deps),

  'user-standing-changed': silent,
  'administrator-changed': silent,
  'user-registered': silent,
  'user-signed-out': silent,
};

export class EventRenderer {
  private readonly deps: DispatchDeps;

  constructor(
    presenter: DispatchDeps['presenter'],
    views: DispatchDeps['views'],
    viewsAt: DispatchDeps['viewsAt'] = () => views,
  ) {
    this.deps = { presenter, views, viewsAt };
  }

  /**
   * @param guildId guild of the channel, for events in a channel's stream.
   * @param deleted ids of messages that have been deleted since: their text is not shown.
   */
  render(event: ParleyEvent, guildId: string | null, deleted: ReadonlySet<string>): Soon<readonly Dispatch[]> {
    const rendered = (renderings[event.type] as Rendering<EventType>)(event, guildId, this.deps, deleted);
    const loggedIn = auditedIn(event);
    return loggedIn === undefined ? rendered : withAuditEntries(rendered, event, loggedIn, this.deps);
  }
}

const withAuditEntries = async (
  rendered: Soon<readonly Dispatch[]>,
  event: ParleyEvent,
  guildId: string,
  deps: DispatchDeps,
): Promise<readonly Dispatch[]> => [...(await rendered), ...(await auditEntries(event, guildId, deps))];

/** To those who may read the guild's audit log, and not to whom the act puts out. */
const auditEntries = async (
  event: ParleyEvent,
  guildId: string,
  { presenter, views }: DispatchDeps,
): Promise<readonly Dispatch[]> => {
  const guild = await views.guilds.guild(guildId);
  if (guild === undefined) return [];
  const out = event.type === 'member-banned' || event.type === 'member-left' ? event.data.userId : undefined;
  // Every session in the guild is asked.
  const readsLog = holdersOf(guild, Permission.viewAuditLog);
  const mayRead = (viewer: Viewer): boolean => {
    const { userId } = viewer;
    const isTimedOut = viewer.timedOutUntil(guildId) > event.time;
    return userId !== out && readsLog({ userId, roles: viewer.rolesIn(guildId), isTimedOut });
  };
  const entries = await presenter.auditEntriesOf(event);
  return entries.map((entry) => ({
    ...dispatch('GUILD_AUDIT_LOG_ENTRY_CREATE', { ...entry, guild_id: guildId }, Intent.guildModeration, mayRead),
    toAuditors: true,
  }));
};

const guildChannel = async (
  event: EventOf<'channel-created'>,
  guildId: string,
  { presenter, views }: DispatchDeps,
): Promise<readonly Dispatch[]> => {
  const [guild, channels] = await Promise.all([views.guilds.guild(guildId), views.guilds.channelsOf(guildId)]);
  // It is deleted since, which its people are told next.
  if (guild === undefined) return [];
  const channel = createdChannel(event, channels.filter(({ createdAt }) => createdAt < event.position).length);
  // Every session in the guild's audience belongs to a member.
  const sees = (viewer: Viewer) => allows(rightsOf(viewer, channel, guild), Permission.viewChannel);
  return [dispatch('CHANNEL_CREATE', await presenter.channel(channel, ''), intentsOf(event.type, guildId), sees)];
};

/** Each of the people sees the others as recipients. Bots learn of the channel from its messages, as with Discord. */
const directChannel = (
  event: EventOf<'channel-created'>,
  { presenter }: DispatchDeps,
): Promise<readonly Dispatch[]> => {
  const channel = createdChannel(event, 0);
  const shownTo = async (userId: string): Promise<Dispatch> => {
    const shown = await presenter.channel(channel, userId);
    return { ...dispatch('CHANNEL_CREATE', shown, intentsOf(event.type, null), onlyDirect(userId)), toPeople: true };
  };
  return Promise.all(channel.participants.map(shownTo));
};

/** The message as it is now, then the channel's pins. In a guild the two need different intents. */
const pinsUpdate = (
  event: EventOf<'message-pinned'> | EventOf<'message-unpinned'>,
  lastPinned: number | null,
  { shown, guildId, deleted }: { shown: ApiMessage | undefined; guildId: string | null; deleted: ReadonlySet<string> },
): readonly Dispatch[] => {
  const board = {
    channel_id: channelIdOf(event.stream),
    ...inGuild(guildId),
    last_pin_timestamp: pinTimestamp(lastPinned),
  };
  const update = dispatch('CHANNEL_PINS_UPDATE', board, guildId === null ? Intent.directMessages : Intent.guilds);
  return shown === undefined
    ? [update]
    : [message('MESSAGE_UPDATE', shown, intentsOf('message-edited', guildId), guildId, deleted), update];
};

/** To those who share a guild with the user, guild by guild. */
const memberUpdates = async (
  userId: string,
  guilds: readonly string[],
  user: ApiUser,
  { presenter, views }: DispatchDeps,
): Promise<readonly Dispatch[]> => {
  const updates = guilds.map(async (guildId) => {
    const row = await views.guilds.member(guildId, userId);
    if (row === undefined) return [];
    const data = { ...(await presenter.memberAs(row, user)), guild_id: guildId };
    const shares = (viewer: Viewer) => viewer.userId !== userId && viewer.isIn(guildId);
    return [dispatch('GUILD_MEMBER_UPDATE', data, Intent.guildMembers, shares)];
  });
  return (await Promise.all(updates)).flat();
};

type Reaction = EventOf<'reaction-added'> | EventOf<'reaction-removed'>;

/** Built from the event itself: in a cluster the views may not hold it yet, or may know later changes. */
const createdChannel = ({ data, position }: EventOf<'channel-created'>, order: number): ChannelRow =>
  rowOfChannel(data, position, order);

/** A deleted message is shown empty, and a reply to it as one whose message is gone. */
const withoutDeleted = (message: ApiMessage, deleted: ReadonlySet<string>): ApiMessage => {
  if (deleted.size === 0) return message;
  const shown = deleted.has(message.id) ? { ...message, content: '', embeds: [] } : message;
  const target = message.referenced_message;
  return target && deleted.has(target.id) ? { ...shown, referenced_message: null } : shown;
};

/**
 * The views may already hold reactions from after the event. A client that took them from here would count them again
 * when their dispatches follow. Without the field, libraries keep the reactions that they have.
 */
const withoutReactions = (message: ApiMessage): ApiMessage => {
  if (message.reactions === undefined && !message.referenced_message) return message;
  const { reactions: _, referenced_message: target, ...rest } = message;
  if (target === undefined) return rest;
  return { ...rest, referenced_message: target && withoutReactions(target) };
};

const deletedMessage = (event: EventOf<'message-deleted'>, guildId: string | null): object => ({
  id: event.data.messageId,
  channel_id: channelIdOf(event.stream),
  ...inGuild(guildId),
  sequence: event.sequence,
  ordinal: event.data.ordinal,
});

const reaction = (event: Reaction, guildId: string | null): object => ({
  user_id: event.data.userId,
  channel_id: channelIdOf(event.stream),
  message_id: event.data.messageId,
  ...inGuild(guildId),
  emoji: { id: null, name: event.data.emoji },
  burst: false,
  burst_colors: [],
  type: 0,
  sequence: event.sequence,
  ordinal: event.data.ordinal,
});
