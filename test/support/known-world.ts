/** What a client knows after the packets it received: the state that the laws of delivery describe. */
import type { Frame, Payload } from './gateway-client.ts';

interface KnownMessage {
  readonly author: string;
  content: string;
  edited: boolean;
  mentions: string[];
  /** `emoji user` of each reaction that was added and not removed. */
  reactions: Set<string>;
}

interface KnownChannel {
  /** What an edit changes. */
  settings: Payload;
  lastMessageId: string | null;
  lastPin: string | null;
  overwrites: Payload[];
  readonly messages: Map<string, KnownMessage>;
}

interface KnownGuild {
  name: string;
  ownerId: string;
  readonly channels: Map<string, KnownChannel>;
  /** Ids of roles, by user. */
  readonly members: Map<string, string[]>;
  readonly roles: Map<string, Payload>;
  /** Those that are active. */
  readonly threads: Map<string, Payload>;
}

/** A thread as a story knows it. */
export interface StoryThread {
  readonly parentId: string;
  readonly isPrivate: boolean;
}

const settingsOf = ({
  type,
  name = null,
  topic = null,
  parent_id = null,
  position = null,
  ...more
}: Payload): Payload => ({
  ...{ type, name, topic, parent_id, position, owner: more.owner_id ?? null },
  recipients: (more.recipients ?? []).map((user: Payload) => user.id).sort(),
});

const threadOf = ({ type, name, parent_id, thread_metadata: { locked } }: Payload): Payload => ({
  ...{ type, name, parent_id, locked },
});

const channelOf = (d: Payload): KnownChannel => ({
  settings: settingsOf(d),
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
  /** By the other's id. */
  private readonly relationships = new Map<string, number>();
  private readonly threads: ReadonlyMap<string, StoryThread>;
  /** Dispatches about channels that the client did not see when they came. */
  readonly strays: string[] = [];

  constructor(threads: ReadonlyMap<string, StoryThread> = new Map()) {
    this.threads = threads;
  }

  take({ t, d }: Frame): void {
    this.lookForStray(t, d);
    switch (t) {
      case 'READY':
        for (const channel of d.private_channels) this.directs.set(channel.id, channelOf(channel));
        for (const { id, type } of d.relationships ?? []) this.relationships.set(id, type);
        return;
      case 'RELATIONSHIP_ADD':
        this.relationships.set(d.id, d.type);
        return;
      case 'RELATIONSHIP_REMOVE':
        this.relationships.delete(d.id);
        return;
      case 'GUILD_CREATE':
        this.guilds.set(d.id, {
          name: d.name,
          ownerId: d.owner_id,
          threads: new Map(d.threads.map((thread: Payload) => [thread.id, threadOf(thread)])),
          channels: new Map(d.channels.map((channel: Payload) => [channel.id, channelOf(channel)])),
          members: new Map(d.members.map((member: Payload) => [member.user.id, member.roles])),
          roles: new Map(d.roles.map((role: Payload) => [role.id, role])),
        });
        return;
      case 'GUILD_UPDATE': {
        const guild = this.guilds.get(d.id);
        if (guild !== undefined) Object.assign(guild, { name: d.name, ownerId: d.owner_id });
        return;
      }
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
      case 'CHANNEL_RECIPIENT_ADD':
      case 'CHANNEL_RECIPIENT_REMOVE': {
        const group = this.directs.get(d.channel_id);
        if (group === undefined) return;
        const others = group.settings.recipients.filter((id: string) => id !== d.user.id);
        const recipients = t === 'CHANNEL_RECIPIENT_ADD' ? [...others, d.user.id].sort() : others;
        group.settings = { ...group.settings, recipients };
        return;
      }
      case 'CHANNEL_DELETE': {
        this.directs.delete(d.id);
        const guild = this.guilds.get(d.guild_id);
        guild?.channels.delete(d.id);
        for (const [id, thread] of guild?.threads ?? []) if (thread.parent_id === d.id) guild?.threads.delete(id);
        this.lost.add(d.id);
        return;
      }
      case 'CHANNEL_UPDATE': {
        const channel = this.guilds.get(d.guild_id)?.channels.get(d.id) ?? this.directs.get(d.id);
        if (channel !== undefined)
          Object.assign(channel, { settings: settingsOf(d), overwrites: d.permission_overwrites ?? [] });
        return;
      }
      case 'THREAD_CREATE':
      case 'THREAD_UPDATE': {
        const threads = this.guilds.get(d.guild_id)?.threads;
        if (d.thread_metadata.archived) threads?.delete(d.id);
        else threads?.set(d.id, threadOf(d));
        return;
      }
      case 'THREAD_DELETE':
        this.guilds.get(d.guild_id)?.threads.delete(d.id);
        this.lost.add(d.id);
        return;
      case 'THREAD_LIST_SYNC': {
        const threads = this.guilds.get(d.guild_id)?.threads;
        for (const [id, thread] of threads ?? []) if (d.channel_ids.includes(thread.parent_id)) threads?.delete(id);
        for (const thread of d.threads) threads?.set(thread.id, threadOf(thread));
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

  /** Whoever ceases to see something is told so first, and nothing of it afterwards. */
  private lookForStray(t: string | null, d: Payload): void {
    const named: string | undefined = t === 'CHANNEL_UPDATE' ? d.id : d?.channel_id;
    // What somebody has read is told to them alone.
    if (t === 'MESSAGE_ACK') return;
    if (named === undefined || this.directs.has(named)) return;
    const thread = this.threads.get(named);
    const guild = [...this.guilds.values()].find(({ channels }) => channels.has(thread?.parentId ?? named));
    // Of an archived thread clients are told nothing when they begin.
    const isHidden = thread?.isPrivate === true && this.lost.has(named) && guild?.threads.has(named) !== true;
    if (guild === undefined || isHidden) this.strays.push(`${t} in ${named}`);
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
        author: d.author.id,
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
    const parentOf = (channelId: string) => this.threads.get(channelId)?.parentId ?? channelId;
    const seen = (channelId: string) => throughout(channelId) && throughout(parentOf(channelId));
    return this.arrivals
      .filter(({ guildId, channelId }) => seen(channelId) && (guildId === undefined || throughout(guildId)))
      .map(({ id }) => id);
  }

  /** @param gone whose texts are forgotten */
  private picture(withMessages: boolean, gone: ReadonlySet<string> = new Set()) {
    const channels = (of: ReadonlyMap<string, KnownChannel>) =>
      [...of]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([id, { settings, lastMessageId, lastPin, overwrites, messages }]) => ({
          id,
          settings,
          lastMessageId,
          lastPin,
          overwrites,
          ...(withMessages
            ? {
                messages: [...messages].map(([messageId, message]) => ({
                  messageId,
                  ...message,
                  content: gone.has(message.author) ? '' : message.content,
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
          ownerId: guild.ownerId,
          threads: [...guild.threads].sort(([a], [b]) => (a < b ? -1 : 1)),
          members: [...guild.members].sort(([a], [b]) => (a < b ? -1 : 1)),
          roles: [...guild.roles].sort(([a], [b]) => (a < b ? -1 : 1)),
          channels: channels(guild.channels),
        })),
      directs: channels(this.directs),
      relationships: [...this.relationships].sort(([a], [b]) => (a < b ? -1 : 1)),
    };
  }

  /** Guilds, members, channels, threads and relationships: the content of a fresh snapshot. */
  structure() {
    return this.picture(false);
  }

  /** Everything, including the messages. @param gone people whose accounts are deleted */
  all(gone?: ReadonlySet<string>) {
    return this.picture(true, gone);
  }
}

/** @param threads of the story, of which clients are not told all */
export const worldAfter = (frames: readonly Frame[], threads?: ReadonlyMap<string, StoryThread>): KnownWorld => {
  const world = new KnownWorld(threads);
  for (const frame of frames) world.take(frame);
  return world;
};
