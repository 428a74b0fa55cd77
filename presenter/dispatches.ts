/** From an event to the dispatches that tell of it, whoever hears them and whenever. */

import { channelPermissions, Permission } from '../domain/permissions.ts';
import { EncodedDispatch } from '../gateway/encoding.ts';
import type { GatewayPresenter } from '../gateway/ports.ts';
import type { Views } from '../projections/port.ts';
import type { ChannelRow } from '../projections/views/guild-views/view.ts';
import type { EventOf, ParleyEvent } from '../schemas/events/catalogue.ts';
import { Intent } from '../schemas/gateway/frames.ts';
import { type Audience, channelAudience, channelStream, guildAudience, userAudience } from '../schemas/streams.ts';
import type { ApiMessage } from './shapes.ts';

const CHANNEL_PREFIX = channelStream('').length;
export const channelIdOf = (event: ParleyEvent): string => event.stream.slice(CHANNEL_PREFIX);

const NOBODY: readonly Audience[] = [];

/** Who an event is for; of a type that clients are never told about, nobody. */
export const audiencesOf = (event: ParleyEvent): readonly Audience[] => {
  switch (event.type) {
    case 'message-posted':
    case 'message-edited':
    case 'message-deleted':
    case 'reaction-added':
    case 'reaction-removed':
      return [channelAudience(channelIdOf(event))];
    case 'channel-created':
      return event.data.guildId === null
        ? event.data.participants.map(userAudience)
        : [guildAudience(event.data.guildId)];
    case 'member-joined':
    case 'member-left':
    case 'invite-created':
      return [guildAudience(event.data.guildId)];
    case 'channels-read':
      return [userAudience(event.data.userId)];
    default:
      return NOBODY;
  }
};

/** Intents a session needs for at least one dispatch of the event; the cheap question asked before rendering. */
export const intentsOf = (event: ParleyEvent, guildId: string | null): number => {
  switch (event.type) {
    case 'message-posted':
    case 'message-edited':
    case 'message-deleted':
      return guildId === null ? Intent.directMessages : Intent.guildMessages;
    case 'reaction-added':
    case 'reaction-removed':
      return guildId === null ? Intent.directReactions : Intent.guildReactions;
    case 'channel-created':
      return event.data.guildId === null ? Intent.none : Intent.guilds;
    case 'member-joined':
    case 'member-left':
      return Intent.guildMembers;
    case 'invite-created':
      return Intent.guildInvites;
    default:
      return Intent.none;
  }
};

/** A message or reaction event whose message has been deleted since is shown without its text. */
export type Concealed = boolean;

const inGuild = (guildId: string | null) => (guildId === null ? {} : { guild_id: guildId });

type Reaction = EventOf<'reaction-added'> | EventOf<'reaction-removed'>;

export class EventRenderer {
  private readonly presenter: GatewayPresenter;
  private readonly views: Pick<Views, 'guilds' | 'unread'>;

  constructor(presenter: GatewayPresenter, views: Pick<Views, 'guilds' | 'unread'>) {
    this.presenter = presenter;
    this.views = views;
  }

  /**
   * @param guildId guild of the channel, for events in a channel's stream.
   * @param concealed the message has been deleted since: its text is not opened.
   */
  async render(event: ParleyEvent, guildId: string | null, concealed: Concealed): Promise<EncodedDispatch[]> {
    const intents = intentsOf(event, guildId);
    const dispatch = (t: string, d: object, more: { admits?: EncodedDispatch['admits']; carriesText?: boolean } = {}) =>
      new EncodedDispatch({ t, position: event.position, intents, d, ...more });
    switch (event.type) {
      case 'message-posted': {
        const message = await this.presenter.posted(concealed ? withoutText(event) : event, guildId);
        return [dispatch('MESSAGE_CREATE', withoutReactions(message), { carriesText: guildId !== null })];
      }
      case 'message-edited': {
        const message = await this.presenter.edited(concealed ? withoutText(event) : event, guildId);
        if (message === undefined) return [];
        return [dispatch('MESSAGE_UPDATE', withoutReactions(message), { carriesText: guildId !== null })];
      }
      case 'message-deleted':
        return [dispatch('MESSAGE_DELETE', deletedMessage(event, guildId))];
      case 'reaction-added':
        return [dispatch('MESSAGE_REACTION_ADD', await this.addedReaction(event, guildId))];
      case 'reaction-removed':
        return [dispatch('MESSAGE_REACTION_REMOVE', reaction(event, guildId))];
      case 'channel-created':
        return event.data.guildId === null ? this.directChannel(event) : this.guildChannel(event, event.data.guildId);
      case 'member-joined': {
        const { guildId: joined, userId } = event.data;
        const row = { guildId: joined, userId, joinedTime: event.time, joinedAt: event.position };
        const d = { ...(await this.presenter.member(row)), guild_id: joined };
        return [dispatch('GUILD_MEMBER_ADD', d, { admits: (session) => session.userId !== userId })];
      }
      case 'member-left': {
        const { guildId: left, userId } = event.data;
        const d = { guild_id: left, user: await this.presenter.user(userId) };
        return [dispatch('GUILD_MEMBER_REMOVE', d, { admits: (session) => session.userId !== userId })];
      }
      case 'invite-created':
        return this.invite(event);
      case 'channels-read':
        return this.acknowledgements(event);
      default:
        return [];
    }
  }

  private async addedReaction(event: EventOf<'reaction-added'>, guildId: string | null): Promise<object> {
    const row = guildId === null ? undefined : await this.views.guilds.member(guildId, event.data.userId);
    const member = row === undefined ? {} : { member: await this.presenter.member(row) };
    return { ...reaction(event, guildId), ...member, message_author_id: event.data.author };
  }

  private async guildChannel(event: EventOf<'channel-created'>, guildId: string): Promise<EncodedDispatch[]> {
    const [guild, channels] = await Promise.all([
      this.views.guilds.guild(guildId),
      this.views.guilds.channelsOf(guildId),
    ]);
    if (guild === undefined) throw new Error(`The guild views lack guild ${guildId}`);
    const channel = createdChannel(event, channels.filter(({ createdAt }) => createdAt < event.position).length);
    // A session that hears the guild's audience is a member's.
    const sees = (userId: string) => (channelPermissions(channel, guild, userId, true) & Permission.viewChannel) !== 0n;
    return [
      new EncodedDispatch({
        t: 'CHANNEL_CREATE',
        position: event.position,
        intents: Intent.guilds,
        d: await this.presenter.channel(channel, ''),
        admits: (session) => sees(session.userId),
      }),
    ];
  }

  /** Each of the two is shown the other as recipient. */
  private async directChannel(event: EventOf<'channel-created'>): Promise<EncodedDispatch[]> {
    const channel = createdChannel(event, 0);
    return Promise.all(
      channel.participants.map(
        async (viewer) =>
          new EncodedDispatch({
            t: 'CHANNEL_CREATE',
            position: event.position,
            intents: Intent.none,
            d: await this.presenter.channel(channel, viewer),
            admits: (session) => session.userId === viewer && session.shardId === 0,
          }),
      ),
    );
  }

  private async invite(event: EventOf<'invite-created'>): Promise<EncodedDispatch[]> {
    const { code, guildId, channelId, inviterId, maxUses, expiresAt } = event.data;
    const [channel, guild, shown] = await Promise.all([
      this.views.guilds.channel(channelId),
      this.views.guilds.guild(guildId),
      this.presenter.invite({
        ...{ code, guildId, channelId, inviterId, maxUses, expiresAt },
        uses: 0,
        createdTime: event.time,
      }),
    ]);
    if (channel === undefined || guild === undefined || shown === undefined) return [];
    const { created_at, inviter, max_age, max_uses, temporary, uses } = shown;
    const d = {
      ...{ code, created_at, inviter, max_age, max_uses, temporary, uses },
      channel_id: channelId,
      guild_id: guildId,
    };
    const manages = (userId: string) =>
      (channelPermissions(channel, guild, userId, true) & Permission.manageChannels) !== 0n;
    return [
      new EncodedDispatch({
        t: 'INVITE_CREATE',
        position: event.position,
        intents: Intent.guildInvites,
        d,
        admits: (session) => manages(session.userId),
      }),
    ];
  }

  private async acknowledgements(event: EventOf<'channels-read'>): Promise<EncodedDispatch[]> {
    const heads = await this.views.unread.heads(Object.keys(event.data.channels));
    return Object.entries(event.data.channels).map(([channelId, ordinal]) => {
      const head = heads.get(channelId);
      const d = {
        channel_id: channelId,
        message_id: head !== undefined && head.ordinal === ordinal ? head.messageId : null,
        ordinal,
      };
      return new EncodedDispatch({ t: 'MESSAGE_ACK', position: event.position, intents: Intent.none, d });
    });
  }
}

/** From the event itself: in a cluster the views may not hold it yet, and may know later ones. */
const createdChannel = (
  { data: { channelId, kind, guildId, name, topic, overwrites, participants }, position }: EventOf<'channel-created'>,
  order: number,
): ChannelRow => ({
  ...{ id: channelId, kind, guildId, name, topic, overwrites, participants },
  order,
  createdAt: position,
});

/** The event with nothing to open in it: what is shown of it is empty. */
const withoutText = <E extends EventOf<'message-posted'> | EventOf<'message-edited'>>(event: E): E => ({
  ...event,
  data: { ...event.data, sealed: { by: event.data.sealed.by, box: '' } },
});

/**
 * The views may know of reactions from after the event. Their dispatches follow, and a client that had counted them from
 * here would count them twice; from a message without the field libraries keep what they have.
 */
const withoutReactions = (message: ApiMessage): ApiMessage => {
  if (message.reactions === undefined && !message.referenced_message) return message;
  const { reactions: _, referenced_message: target, ...rest } = message;
  if (target === undefined) return rest;
  return { ...rest, referenced_message: target && withoutReactions(target) };
};

const deletedMessage = (event: EventOf<'message-deleted'>, guildId: string | null): object => ({
  id: event.data.messageId,
  channel_id: channelIdOf(event),
  ...inGuild(guildId),
  sequence: event.sequence,
  ordinal: event.data.ordinal,
});

const reaction = (event: Reaction, guildId: string | null): object => ({
  user_id: event.data.userId,
  channel_id: channelIdOf(event),
  message_id: event.data.messageId,
  ...inGuild(guildId),
  emoji: { id: null, name: event.data.emoji },
  burst: false,
  burst_colors: [],
  type: 0,
  sequence: event.sequence,
  ordinal: event.data.ordinal,
});
