/**
 * Messages as clients see them: text is opened in memory only, and authors and replied-to messages are looked up
 * together.
 */

import type { Readers } from '../projections/port.ts';
import type { MemberRow } from '../projections/views/guild-views/view.ts';
import type { MessageRow, TimelineReader } from '../projections/views/timelines/view.ts';
import type { EventOf } from '../schemas/events/catalogue.ts';
import { type Forwarded, HAS_THREAD, MessageBody, MessageType, SUPPRESS_EMBEDS } from '../schemas/events/channel.ts';
import { type Soon, soon } from '../schemas/soon.ts';
import { channelIdOf, channelStream } from '../schemas/streams.ts';
import type { TimeSlices } from '../schemas/time-slices.ts';
import { type KeyRing, openAs } from '../vault/sealing.ts';
import { presentEmbed } from './embeds.ts';
import { NO_ROLES, presentMember } from './guilds.ts';
import type { ApiChannel, ApiMessage, ApiReaction, ApiUser } from './shapes.ts';
import { isThread, presentThread } from './threads.ts';
import { wireTime } from './time.ts';
import type { UserPresenter } from './users.ts';

const presentReaction = (reaction: MessageRow['reactions'][number]): ApiReaction => ({
  emoji: { id: null, name: reaction.emoji },
  count: reaction.count,
  count_details: { burst: 0, normal: reaction.count },
  me: reaction.me,
  me_burst: false,
  burst_colors: [],
});

const FORWARD = 1 as const;

/** Nothing of it is shown: whoever may read it asks for it. */
const forwarding = ({ channelId, messageId, guildId }: Forwarded) => ({
  message_reference: {
    ...{ type: FORWARD, channel_id: channelId, message_id: messageId },
    ...(guildId === null ? {} : { guild_id: guildId }),
  },
  message_snapshots: NONE,
});

/** Modifies the message just made: copying it costs more than making it. */
const from = (message: ApiMessage, guildId: string, member: ReturnType<typeof presentMember> | undefined): ApiMessage =>
  Object.assign(message, member === undefined ? { guild_id: guildId } : { guild_id: guildId, member });

/** Opened in one step: the largest, with a reply as large, takes a millisecond. */
const MESSAGES_PER_STEP = 1;

const NONE: readonly never[] = [];

const EMPTY: MessageBody = { content: '', embeds: [] };

/** Events that change how a message looks. */
export type MessageChange = EventOf<
  'message-edited' | 'message-pinned' | 'message-unpinned' | 'embeds-suppressed' | 'message-threaded'
>;

/** What a page of messages shows besides its rows, looked up together. */
interface LookedUp {
  readonly users: ReadonlyMap<string, ApiUser>;
  readonly repliedTo: ReadonlyMap<string, MessageRow>;
  readonly pinned: ReadonlySet<string>;
  /** Those that begin at a message, by its id. */
  readonly threads: ReadonlyMap<string, ApiChannel>;
  /** By the id of the message that a thread begins with: the channel it is in, and there the message it begins at. */
  readonly origins: ReadonlyMap<string, { readonly channelId: string; readonly row: MessageRow | undefined }>;
}

const NOTHING_FOUND = new Map<string, never>();

/** What a message refers to is in its own channel, except for those about threads. */
const refersToThread = ({ type }: MessageRow): boolean =>
  type === MessageType.threadCreated || type === MessageType.threadStarterMessage;

interface MessageSources {
  readonly views: Omit<Readers, 'timelines'>;
  readonly timelines: TimelineReader;
  readonly keys: KeyRing;
  readonly slices: TimeSlices;
}

export class MessagePresenter {
  private readonly users: UserPresenter;
  private readonly views: MessageSources['views'];
  private readonly timelines: TimelineReader;
  private readonly keys: KeyRing;
  private readonly slices: TimeSlices;

  constructor(users: UserPresenter, { views, timelines, keys, slices }: MessageSources) {
    this.users = users;
    this.views = views;
    this.timelines = timelines;
    this.keys = keys;
    this.slices = slices;
  }

  async messages(rows: readonly MessageRow[], guildId: string | null): Promise<ApiMessage[]> {
    const lookedUp = await this.lookUp(rows);
    return this.slices.pieces(rows, MESSAGES_PER_STEP, (some) =>
      some.map((row) => this.withReply(row, guildId, lookedUp)),
    );
  }

  /** @param areNew nothing is pinned when it is posted, so only those that are replied to may be */
  private async lookUp(rows: readonly MessageRow[], areNew = false): Promise<LookedUp> {
    const [repliedTo, origins] = await Promise.all([this.repliedTo(rows), this.originsOf(rows)]);
    const here = [...rows, ...repliedTo.values()];
    const everyRow = [...here, ...[...origins.values()].flatMap(({ row }) => row ?? [])];
    const [pinned, threads] = await Promise.all([
      this.pinnedAmong(areNew ? [...repliedTo.values()] : here),
      this.threadsAt(everyRow),
    ]);
    await this.keys.load(everyRow.flatMap((row) => (row.sealed === null ? [] : [row.sealed.by])));
    const users = await this.users.users(everyRow.flatMap((row) => [row.author, ...row.mentions.users]));
    return { users, repliedTo, pinned, threads, origins };
  }

  private async threadsAt(rows: readonly MessageRow[]): Promise<LookedUp['threads']> {
    const ids = rows.filter(({ flags }) => (flags & HAS_THREAD) !== 0).map(({ id }) => id);
    if (ids.length === 0) return NOTHING_FOUND;
    const { guilds, unread, pins } = this.views;
    const [found, heads, lastPinned] = await Promise.all([
      Promise.all(ids.map((id) => guilds.channel(id))),
      unread.heads(ids),
      pins.lastPinned(ids),
    ]);
    const begun = found.flatMap((row) => (row !== undefined && isThread(row) && row.isDeleted !== true ? [row] : []));
    const shown = begun.map((row) =>
      presentThread(row, { head: heads.get(row.id), lastPinned: lastPinned.get(row.id) }),
    );
    return new Map(shown.map((thread) => [thread.id, thread]));
  }

  private async originsOf(rows: readonly MessageRow[]): Promise<LookedUp['origins']> {
    const first = rows.filter(({ type }) => type === MessageType.threadStarterMessage);
    if (first.length === 0) return NOTHING_FOUND;
    const found = first.map(async ({ id, channelId, replyTo }) => {
      const parentId = (await this.views.guilds.channel(channelId))?.thread?.parentId;
      if (parentId === undefined || replyTo === null) return [];
      const row = await this.timelines.message(parentId, replyTo, '');
      return [[id, { channelId: parentId, row: row?.deleted === true ? undefined : row }] as const];
    });
    return new Map((await Promise.all(found)).flat());
  }

  private async pinnedAmong(rows: readonly MessageRow[]): Promise<ReadonlySet<string>> {
    const [first] = rows;
    return first === undefined
      ? new Set()
      : this.views.pins.pinnedAmong(
          first.channelId,
          rows.map(({ id }) => id),
        );
  }

  /** One message as a dispatch carries it, with the author's membership. */
  dispatched(row: MessageRow, guildId: string | null, said?: MessageBody): Soon<ApiMessage> {
    // Not in a slice: live events do not queue behind pages of history.
    const message = this.fromCaches(row, said);
    if (message !== undefined) return this.inGuild(message, row.author, guildId);
    return this.lookUp([row], true).then((found) =>
      this.inGuild(this.withReply(row, guildId, found), row.author, guildId),
    );
  }

  private inGuild(message: ApiMessage, author: string, guildId: string | null): Soon<ApiMessage> {
    if (guildId === null) return message;
    return soon(this.views.guilds.member(guildId, author), (member) => this.ofMember(message, guildId, member));
  }

  private ofMember(message: ApiMessage, guildId: string, member: MemberRow | undefined): Soon<ApiMessage> {
    if (member !== undefined && (member.roles.length > 0 || member.nick !== null))
      return this.ofKnownMember(message, guildId, member);
    return from(message, guildId, member && presentMember(member, NO_ROLES, null));
  }

  /** Of one whom the guild gave a role or another name. */
  private async ofKnownMember(message: ApiMessage, guildId: string, member: MemberRow): Promise<ApiMessage> {
    const guild = member.roles.length > 0 ? await this.views.guilds.guild(guildId) : undefined;
    const nick = member.nick === null ? null : (await this.users.nicks([member]))[0]!;
    return from(message, guildId, presentMember(member, guild ?? NO_ROLES, nick));
  }

  async edited(event: MessageChange, guildId: string | null): Promise<ApiMessage | undefined> {
    const row = await this.timelines.message(channelIdOf(event.stream)!, event.data.messageId, '');
    if (row === undefined) return undefined;
    if (event.type === 'embeds-suppressed' || event.type === 'message-threaded') {
      const { flags, pinned } = event.data;
      return { ...(await this.dispatched({ ...row, flags }, guildId)), pinned, sequence: event.sequence };
    }
    if (event.type !== 'message-edited') {
      const pinned = event.type === 'message-pinned';
      return { ...(await this.dispatched(row, guildId)), pinned, sequence: event.sequence };
    }
    const { mentions, flags, pinned, sealed } = event.data;
    const asEdited: MessageRow = {
      ...row,
      editedTime: event.time,
      mentions,
      flags: flags ?? row.flags,
      sealed: row.deleted ? null : sealed,
      sealedIn: event.id,
    };
    return { ...(await this.dispatched(asEdited, guildId)), pinned, sequence: event.sequence };
  }

  /** The common case of a live message: nobody to look up, no reply and no mention. */
  private fromCaches(row: MessageRow, said?: MessageBody): ApiMessage | undefined {
    if (row.replyTo !== null || row.mentions.users.length > 0 || row.sealed === null) return undefined;
    if ((row.flags & HAS_THREAD) !== 0) return undefined;
    const author = this.users.cached(row.author);
    if (author === undefined || (said === undefined && this.keys.cached(row.sealed.by) === null)) return undefined;
    return this.bare(row, author, [], said);
  }

  private async repliedTo(rows: readonly MessageRow[]): Promise<Map<string, MessageRow>> {
    const wanted = new Set<string>();
    for (const row of rows) if (row.replyTo !== null && !refersToThread(row)) wanted.add(row.replyTo);
    if (wanted.size === 0) return new Map();
    const found = await this.timelines.messages(rows[0]!.channelId, [...wanted], '');
    return new Map(found.map((row) => [row.id, row]));
  }

  private withReply(row: MessageRow, guildId: string | null, lookedUp: LookedUp): ApiMessage {
    const { users, repliedTo, pinned, threads, origins } = lookedUp;
    const shown = (of: MessageRow): ApiMessage => {
      const mentions = of.mentions.users.map((id) => users.get(id)!);
      const thread = threads.get(of.id);
      const began = thread === undefined ? {} : { thread };
      return { ...this.bare(of, users.get(of.author)!, mentions), pinned: pinned.has(of.id), ...began };
    };
    const message = shown(row);
    if (row.replyTo === null) return message;
    if (refersToThread(row)) {
      const guild = guildId === null ? {} : { guild_id: guildId };
      if (row.type === MessageType.threadCreated)
        return { ...message, message_reference: { type: 0, channel_id: row.replyTo, ...guild } };
      const origin = origins.get(row.id);
      if (origin === undefined) return message;
      return {
        ...message,
        message_reference: { type: 0, channel_id: origin.channelId, message_id: row.replyTo, ...guild },
        referenced_message: origin.row === undefined ? null : shown(origin.row),
      };
    }
    const target = repliedTo.get(row.replyTo);
    const gone = target === undefined || target.deleted;
    return {
      ...message,
      message_reference: {
        type: 0,
        channel_id: row.channelId,
        ...(guildId === null ? {} : { guild_id: guildId }),
        message_id: row.replyTo,
      },
      // Only a reply shows the message it refers to; the notice about a pin only names it.
      ...(row.type === MessageType.reply ? { referenced_message: gone ? null : shown(target) } : {}),
    };
  }

  private bare(
    row: MessageRow,
    author: ApiUser,
    mentions: readonly ApiUser[],
    body: MessageBody = this.open(row),
  ): ApiMessage {
    return {
      id: row.id,
      channel_id: row.channelId,
      author,
      content: body.content,
      timestamp: wireTime(row.time),
      edited_timestamp: row.editedTime === null ? null : wireTime(row.editedTime),
      tts: false,
      mention_everyone: row.mentions.everyone,
      mentions,
      mention_roles: row.mentions.roles ?? NONE,
      attachments: [],
      embeds: (row.flags & SUPPRESS_EMBEDS) === 0 ? body.embeds.map(presentEmbed) : [],
      components: NONE,
      sticker_items: NONE,
      ...(row.reactions.length === 0 ? {} : { reactions: row.reactions.map(presentReaction) }),
      ...(row.nonce === null ? {} : { nonce: row.nonce }),
      ...(body.forwarded === undefined ? {} : forwarding(body.forwarded)),
      pinned: false,
      type: row.type,
      flags: row.flags,
      sequence: row.sequence,
      ordinal: row.ordinal,
    };
  }

  /** What events seal is shown as in messages, in their order. */
  async texts(
    events: readonly EventOf<'message-posted' | 'message-edited'>[],
  ): Promise<readonly Pick<ApiMessage, 'content' | 'embeds'>[]> {
    await this.keys.load(events.map(({ data }) => data.sealed.by));
    return this.slices.pieces(events, MESSAGES_PER_STEP, (some) =>
      some.map(({ stream, id: eventId, data: { sealed } }) => {
        const key = this.keys.cached(sealed.by) ?? undefined;
        const { content, embeds } = openAs(MessageBody, key, { stream, eventId }, sealed) ?? EMPTY;
        return { content, embeds: embeds.map(presentEmbed) };
      }),
    );
  }

  private open(row: MessageRow): MessageBody {
    if (row.sealed === null) return EMPTY;
    const key = this.keys.cached(row.sealed.by) ?? undefined;
    const place = { stream: channelStream(row.channelId), eventId: row.sealedIn };
    return openAs(MessageBody, key, place, row.sealed) ?? EMPTY;
  }
}
