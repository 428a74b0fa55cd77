/** For specs of the read side: events without ceremony, and a log in memory. */
import type { LogReader, Page, ReadAll, ReadStream, StoredPage, StreamHead, Tail } from '../log/port.ts';
import type { EventData, EventOf, EventType, Mentions, ParleyEvent } from '../schemas/events/index.ts';
import {
  channelStream,
  directStream,
  guildStream,
  inviteStream,
  memberStream,
  readStream,
  userStream,
} from '../schemas/streams.ts';

export const NO_MENTIONS: Mentions = { users: [], everyone: false };

/** Milliseconds since 1970 of the event at position 0. */
export const TIME_ZERO = 1_700_000_000_000;

/** The log without `append`, filled by `add`, which takes events as they come. */
export class MemoryLog implements LogReader {
  readonly epoch: string;
  readonly all: ParleyEvent[] = [];
  private readonly byStream = new Map<string, ParleyEvent[]>();
  private readonly wakers = new Set<() => void>();

  constructor(epoch = 'first') {
    this.epoch = epoch;
  }

  /** Appends an event with the next sequence of its stream and the next position. */
  add<K extends EventType>(stream: string, type: K, data: EventData<K>): EventOf<K> {
    const events = this.byStream.get(stream) ?? [];
    const position = this.all.length + 1;
    const sequence = events.length + 1;
    const event = {
      id: `event-${position}`,
      type,
      schema: 1,
      stream,
      sequence,
      position,
      time: TIME_ZERO + position,
      actor: '1',
      key: null,
      correlationId: `correlation-${position}`,
      causationId: null,
      traceparent: null,
      data,
    } as unknown as EventOf<K>;
    events.push(event);
    this.byStream.set(stream, events);
    this.all.push(event);
    for (const wake of this.wakers) wake();
    return event;
  }

  /** Takes over the events of another log, as if they had all been appended at once. */
  replaceWith(other: MemoryLog): this {
    this.all.splice(0);
    for (const event of other.all) this.all.push(event);
    this.byStream.clear();
    for (const [stream, events] of other.byStream) this.byStream.set(stream, [...events]);
    for (const wake of this.wakers) wake();
    return this;
  }

  async head(): Promise<number> {
    return this.all.length;
  }

  async streamHead(stream: string): Promise<StreamHead> {
    const last = this.byStream.get(stream)?.at(-1);
    return { stream, sequence: last?.sequence ?? 0, position: last?.position ?? 0 };
  }

  async streams(query: { prefix?: string; after?: string; limit: number }): Promise<readonly StreamHead[]> {
    const names = [...this.byStream.keys()]
      .filter((name) => name.startsWith(query.prefix ?? '') && name > (query.after ?? ''))
      .sort()
      .slice(0, query.limit);
    return Promise.all(names.map((name) => this.streamHead(name)));
  }

  async readStream({ stream, from, direction = 'forwards', limit }: ReadStream): Promise<readonly ParleyEvent[]> {
    const events = this.byStream.get(stream) ?? [];
    if (direction === 'forwards') return events.slice((from ?? 1) - 1, (from ?? 1) - 1 + limit);
    const end = from ?? events.length;
    return events.slice(Math.max(0, end - limit), end).reverse();
  }

  async readAll({ after, types, prefix = '', limit }: ReadAll): Promise<Page> {
    const looked = this.all.slice(after, after + limit);
    return {
      events: looked.filter((e) => e.stream.startsWith(prefix) && (types === undefined || types.includes(e.type))),
      through: after + looked.length,
    };
  }

  async rawAll(query: ReadAll): Promise<StoredPage> {
    const { events, through } = await this.readAll(query);
    return { events: events.map((event) => ({ ...event, data: JSON.stringify(event.data) })), through };
  }

  tail(
    after: number,
    onEvents: (events: readonly ParleyEvent[]) => Promise<void>,
    onFailure: (error: unknown) => void,
  ): Tail {
    let stopped = false;
    let wake = () => {};
    const follow = async () => {
      for (let through = after; !stopped; ) {
        const events = this.all.slice(through, through + 1000);
        if (events.length > 0) {
          await onEvents(events);
          through += events.length;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
            this.wakers.add(wake);
          });
          this.wakers.delete(wake);
        }
      }
    };
    const followed = follow().catch(onFailure);
    return {
      stop: async () => {
        stopped = true;
        wake();
        await followed;
      },
    };
  }
}

/** Adds events that belong together, with what the domain would have put into them. */
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

  guild(guildId: string, ownerId: string) {
    return this.log.add(guildStream(guildId), 'guild-created', {
      guildId,
      name: `guild ${guildId}`,
      ownerId,
      everyone: '3072',
      firstChannel: { id: `${guildId}1`, name: 'general' },
    });
  }

  channel(channelId: string, guildId: string) {
    return this.log.add(channelStream(channelId), 'channel-created', {
      channelId,
      kind: 'text',
      guildId,
      name: `channel-${channelId}`,
      topic: null,
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
      overwrites: [],
      participants,
    });
  }

  invite(code: string, guildId: string, channelId: string, inviterId: string, maxUses = 0) {
    const data = { code, guildId, channelId, inviterId, maxUses, expiresAt: null };
    return this.log.add(inviteStream(code), 'invite-created', data);
  }

  redeem(code: string, guildId: string, userId: string) {
    return this.log.add(inviteStream(code), 'invite-redeemed', { code, guildId, userId });
  }

  join(guildId: string, userId: string, invite: string | null = null) {
    return this.log.add(memberStream(guildId, userId), 'member-joined', { guildId, userId, invite });
  }

  leave(guildId: string, userId: string) {
    return this.log.add(memberStream(guildId, userId), 'member-left', { guildId, userId });
  }

  /** The message's id is the channel's id and ordinal as one number, so that it is unique and grows. */
  post(channelId: string, author: string, more: { mentions?: Mentions; replyTo?: string; nonce?: string } = {}) {
    const ordinal = (this.heads.get(channelId) ?? 0) + 1;
    this.heads.set(channelId, ordinal);
    return this.log.add(channelStream(channelId), 'message-posted', {
      messageId: messageId(channelId, ordinal),
      ordinal,
      author,
      replyTo: more.replyTo ?? null,
      mentions: more.mentions ?? NO_MENTIONS,
      flags: 0,
      nonce: more.nonce ?? null,
      sealed: { by: author, box: `message ${ordinal} in ${channelId}` },
    });
  }

  edit(channelId: string, ordinal: number, author: string, mentions = NO_MENTIONS) {
    return this.log.add(channelStream(channelId), 'message-edited', {
      messageId: messageId(channelId, ordinal),
      ordinal,
      author,
      mentions,
      sealed: { by: author, box: `message ${ordinal} in ${channelId}, edited` },
    });
  }

  remove(channelId: string, ordinal: number, author: string) {
    const data = { messageId: messageId(channelId, ordinal), ordinal, author };
    return this.log.add(channelStream(channelId), 'message-deleted', data);
  }

  react(channelId: string, ordinal: number, userId: string, emoji: string) {
    const data = { messageId: messageId(channelId, ordinal), ordinal, author: '1', userId, emoji };
    return this.log.add(channelStream(channelId), 'reaction-added', data);
  }

  unreact(channelId: string, ordinal: number, userId: string, emoji: string) {
    const data = { messageId: messageId(channelId, ordinal), ordinal, author: '1', userId, emoji };
    return this.log.add(channelStream(channelId), 'reaction-removed', data);
  }

  read(userId: string, channels: Record<string, number>) {
    return this.log.add(readStream(userId), 'channels-read', { userId, channels, whole: false });
  }

  /** Events beyond a position, as a projection is handed them. */
  since(position: number): readonly ParleyEvent[] {
    return this.log.all.slice(position);
  }
}

export const messageId = (channelId: string, ordinal: number): string =>
  (BigInt(channelId) * 1_000_000n + BigInt(ordinal)).toString();
