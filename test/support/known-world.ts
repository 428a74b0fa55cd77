/** What a client knows after the packets it received: the state that the laws of delivery describe. */
import type { Frame, Payload } from './gateway-client.ts';

interface KnownMessage {
  content: string;
  edited: boolean;
  mentions: string[];
  /** `emoji user` of each reaction that was added and not removed. */
  reactions: Set<string>;
}

interface KnownChannel {
  readonly name: string | null;
  lastMessageId: string | null;
  lastPin: string | null;
  overwrites: Payload[];
  readonly messages: Map<string, KnownMessage>;
}

interface KnownGuild {
  readonly name: string;
  readonly channels: Map<string, KnownChannel>;
  /** Ids of roles, by user. */
  readonly members: Map<string, string[]>;
  readonly roles: Map<string, Payload>;
}

const channelOf = (d: Payload): KnownChannel => ({
  name: d.name ?? null,
  lastMessageId: d.last_message_id,
  lastPin: d.last_pin_timestamp,
  overwrites: d.permission_overwrites ?? [],
  messages: new Map(),
});

const mentionIds = (d: Payload): string[] => d.mentions.map((user: Payload) => user.id).sort();

export class KnownWorld {
  private readonly guilds = new Map<string, KnownGuild>();
  private readonly directs = new Map<string, KnownChannel>();
  private readonly arrivals: {
    readonly id: string;
    readonly guildId: string | undefined;
    readonly channelId: string;
  }[] = [];
  /** Guilds and channels that were lost at any time. */
  private readonly lost = new Set<string>();

  take({ t, d }: Frame): void {
    switch (t) {
      case 'READY':
        for (const channel of d.private_channels) this.directs.set(channel.id, channelOf(channel));
        return;
      case 'GUILD_CREATE':
        this.guilds.set(d.id, {
          name: d.name,
          channels: new Map(d.channels.map((channel: Payload) => [channel.id, channelOf(channel)])),
          members: new Map(d.members.map((member: Payload) => [member.user.id, member.roles])),
          roles: new Map(d.roles.map((role: Payload) => [role.id, role])),
        });
        return;
      case 'GUILD_DELETE':
        this.guilds.delete(d.id);
        this.lost.add(d.id);
        return;
      case 'GUILD_MEMBER_ADD':
        this.guilds.get(d.guild_id)?.members.set(d.user.id, d.roles);
        return;
      case 'GUILD_MEMBER_REMOVE':
        this.guilds.get(d.guild_id)?.members.delete(d.user.id);
        return;
      case 'GUILD_MEMBER_UPDATE':
        this.guilds.get(d.guild_id)?.members.set(d.user.id, d.roles);
        return;
      case 'GUILD_ROLE_CREATE':
      case 'GUILD_ROLE_UPDATE':
        this.guilds.get(d.guild_id)?.roles.set(d.role.id, d.role);
        return;
      case 'GUILD_ROLE_DELETE':
        this.deleteRole(d.guild_id, d.role_id);
        return;
      case 'CHANNEL_DELETE':
        this.guilds.get(d.guild_id)?.channels.delete(d.id);
        this.lost.add(d.id);
        return;
      case 'CHANNEL_UPDATE': {
        const channel = this.guilds.get(d.guild_id)?.channels.get(d.id);
        if (channel !== undefined) channel.overwrites = d.permission_overwrites;
        return;
      }
      case 'CHANNEL_CREATE':
        if (d.guild_id === undefined) this.directs.set(d.id, channelOf(d));
        else this.guilds.get(d.guild_id)?.channels.set(d.id, channelOf(d));
        return;
      default:
        this.takeMessage(t, d);
    }
  }

  private deleteRole(guildId: string, roleId: string): void {
    const guild = this.guilds.get(guildId);
    guild?.roles.delete(roleId);
    for (const [userId, roles] of guild?.members ?? [])
      guild?.members.set(
        userId,
        roles.filter((id) => id !== roleId),
      );
  }

  private takeMessage(t: string | null, d: Payload): void {
    if (d?.channel_id === undefined) return;
    const channel = this.guilds.get(d.guild_id)?.channels.get(d.channel_id) ?? this.directs.get(d.channel_id);
    if (t === 'MESSAGE_CREATE') {
      this.arrivals.push({ id: d.id, guildId: d.guild_id, channelId: d.channel_id });
      if (channel === undefined) return;
      channel.lastMessageId = d.id;
      channel.messages.set(d.id, {
        content: d.content,
        edited: false,
        mentions: mentionIds(d),
        reactions: new Set(),
      });
    } else if (t === 'CHANNEL_PINS_UPDATE') {
      if (channel !== undefined) channel.lastPin = d.last_pin_timestamp;
    } else if (t === 'MESSAGE_UPDATE') {
      const message = channel?.messages.get(d.id);
      if (message !== undefined) Object.assign(message, { content: d.content, edited: true, mentions: mentionIds(d) });
    } else if (t === 'MESSAGE_DELETE') channel?.messages.delete(d.id);
    else if (t === 'MESSAGE_DELETE_BULK') for (const id of d.ids) channel?.messages.delete(id);
    else if (t === 'MESSAGE_REACTION_ADD')
      channel?.messages.get(d.message_id)?.reactions.add(`${d.emoji.name} ${d.user_id}`);
    else if (t === 'MESSAGE_REACTION_REMOVE_ALL') channel?.messages.get(d.message_id)?.reactions.clear();
    else if (t === 'MESSAGE_REACTION_REMOVE_EMOJI') {
      const reactions = channel?.messages.get(d.message_id)?.reactions;
      for (const one of reactions ?? []) if (one.startsWith(`${d.emoji.name} `)) reactions?.delete(one);
    } else if (t === 'MESSAGE_REACTION_REMOVE')
      channel?.messages.get(d.message_id)?.reactions.delete(`${d.emoji.name} ${d.user_id}`);
  }

  /**
   * Ids of all messages in order of arrival, except those of guilds and channels that this client or `other` lost at some time.
   * A client that resumes may not see a loss that is over by then, so both must have had it throughout.
   */
  arrived(other: KnownWorld = this): string[] {
    const throughout = (id: string) => !this.lost.has(id) && !other.lost.has(id);
    return this.arrivals
      .filter(({ guildId, channelId }) => guildId === undefined || (throughout(guildId) && throughout(channelId)))
      .map(({ id }) => id);
  }

  private picture(withMessages: boolean) {
    const channels = (of: ReadonlyMap<string, KnownChannel>) =>
      [...of]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([id, { name, lastMessageId, lastPin, overwrites, messages }]) => ({
          id,
          name,
          lastMessageId,
          lastPin,
          overwrites,
          ...(withMessages
            ? {
                messages: [...messages].map(([messageId, message]) => ({
                  messageId,
                  ...message,
                  reactions: [...message.reactions].sort(),
                })),
              }
            : {}),
        }));
    return {
      guilds: [...this.guilds]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([id, guild]) => ({
          id,
          name: guild.name,
          members: [...guild.members].sort(([a], [b]) => (a < b ? -1 : 1)),
          roles: [...guild.roles].sort(([a], [b]) => (a < b ? -1 : 1)),
          channels: channels(guild.channels),
        })),
      directs: channels(this.directs),
    };
  }

  /** Guilds, members and channels: the content of a fresh snapshot. */
  structure() {
    return this.picture(false);
  }

  /** Everything, including the messages. */
  all() {
    return this.picture(true);
  }
}

export const worldAfter = (frames: readonly Frame[]): KnownWorld => {
  const world = new KnownWorld();
  for (const frame of frames) world.take(frame);
  return world;
};
