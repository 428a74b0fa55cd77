import type { MessageState } from '../../../../domain/channel.ts';
import { type Mentions, NO_MENTIONS } from '../../../../schemas/events/channel.ts';
import type { TimeSlices } from '../../../../schemas/time-slices.ts';
import { type Connection, idKey, idKeys, query, type Value } from '../../../../stores/sqlite/statements.ts';
import { halvesOf, type MessageRow, type PageQuery, type ReactionCount, type TimelineReader } from '../view.ts';

type Columns = readonly [
  id: string,
  ordinal: number,
  sequence: number,
  position: number,
  author: string,
  time: number,
  editedTime: number | null,
  type: number,
  replyTo: string | null,
  mentions: string | null,
  flags: number,
  nonce: string | null,
  sealedBy: string | null,
  box: string | null,
  sealedIn: string,
  deleted: number,
];

const COLUMNS = `CAST(id AS TEXT), ordinal, sequence, position, CAST(author AS TEXT), time, edited_time, type,
  CAST(reply_to AS TEXT), mentions, flags, nonce, CAST(sealed_by AS TEXT), box, sealed_in, deleted`;

/** Smaller than every id. */
const NOBODY = '-1';

/** Of messages at their largest these are a few megabytes. */
const IDS_PER_STEP = 100;

const NO_REACTIONS: readonly ReactionCount[] = [];

/** As numbers. Each id of a message has one spelling. */
const isBefore = (a: string, b: string): boolean => (a.length === b.length ? a < b : a.length < b.length);

const rowOf = (channelId: string, c: Columns, reactions: readonly ReactionCount[]): MessageRow => ({
  channelId,
  id: c[0],
  ordinal: c[1],
  sequence: c[2],
  position: c[3],
  author: c[4],
  time: c[5],
  editedTime: c[6],
  type: c[7],
  replyTo: c[8],
  mentions: c[9] === null ? NO_MENTIONS : (JSON.parse(c[9]) as Mentions),
  flags: c[10],
  nonce: c[11] === null ? null : (JSON.parse(c[11]) as string | number),
  sealed: c[12] === null || c[13] === null ? null : { by: c[12], box: c[13] },
  sealedIn: c[14],
  deleted: c[15] === 1,
  reactions,
});

const prepare = (db: Connection) => {
  const select = <Row extends readonly Value[]>(sql: string) => query<Row>(db, sql);
  const page = (rest: string) =>
    select<Columns>(`SELECT ${COLUMNS} FROM messages WHERE channel_id = ? AND deleted = 0 ${rest}`);
  return {
    newest: page('ORDER BY id DESC LIMIT ?'),
    before: page('AND id < ? ORDER BY id DESC LIMIT ?'),
    after: page('AND id > ? ORDER BY id LIMIT ?'),
    message: select<Columns>(`SELECT ${COLUMNS} FROM messages WHERE channel_id = ? AND id = ?`),
    messages: select<Columns>(
      `SELECT ${COLUMNS} FROM messages WHERE channel_id = ? AND id IN (SELECT value FROM json_each(?))`,
    ),
    deleted: select<[string]>(
      `SELECT CAST(id AS TEXT) FROM messages INDEXED BY deleted_messages
       WHERE channel_id = ? AND id IN (SELECT value FROM json_each(?)) AND deleted = 1`,
    ),
    anyDeleted: select<[number]>(
      `SELECT 1 FROM messages INDEXED BY deleted_messages
       WHERE channel_id = ? AND id BETWEEN ? AND ? AND deleted = 1 LIMIT 1`,
    ),
    reactions: select<[messageId: string, emoji: string, count: number, me: number]>(
      `SELECT CAST(message_id AS TEXT), emoji, count, EXISTS (
         SELECT 1 FROM reactions r WHERE r.channel_id = c.channel_id AND r.message_id = c.message_id
           AND r.emoji = c.emoji AND r.user_id = ?)
       FROM reaction_counts c
       WHERE channel_id = ? AND message_id IN (SELECT value FROM json_each(?)) ORDER BY message_id, since`,
    ),
    reactors: select<[string]>(
      `SELECT CAST(user_id AS TEXT) FROM reactions
       WHERE channel_id = ? AND message_id = ? AND emoji = ? AND user_id > ? ORDER BY user_id LIMIT ?`,
    ),
    reaction: select<[sequence: number]>(
      'SELECT sequence FROM reactions WHERE channel_id = ? AND message_id = ? AND emoji = ? AND user_id = ?',
    ),
    counts: select<[emoji: string, count: number]>(
      'SELECT emoji, count FROM reaction_counts WHERE channel_id = ? AND message_id = ? ORDER BY since',
    ),
    through: select<[number]>('SELECT through FROM timelines WHERE channel_id = ?'),
  };
};

export class SqliteTimelineReader implements TimelineReader {
  private readonly ask: ReturnType<typeof prepare>;
  private readonly slices: TimeSlices;

  /** @param slices shared by all readers of the file, so that other work runs in between many reads */
  constructor(db: Connection, slices: TimeSlices) {
    this.ask = prepare(db);
    this.slices = slices;
  }

  async page(channelId: string, query: PageQuery, viewer: string): Promise<readonly MessageRow[]> {
    return this.slices.step(() => this.withReactions(channelId, this.columns(idKey(channelId), query), viewer));
  }

  private columns(channel: string | null, query: PageQuery): readonly Columns[] {
    if ('before' in query) return this.ask.before.all(channel, query.before, query.limit);
    if ('after' in query) return this.ask.after.all(channel, query.after, query.limit).reverse();
    if (!('around' in query)) return this.ask.newest.all(channel, query.limit);
    const { newer, older } = halvesOf(query);
    return [...this.columns(channel, newer), ...this.columns(channel, older)];
  }

  async message(channelId: string, messageId: string, viewer: string): Promise<MessageRow | undefined> {
    return this.slices.step(() => {
      const found = this.ask.message.get(idKey(channelId), idKey(messageId));
      return found && this.withReactions(channelId, [found], viewer)[0];
    });
  }

  async messages(channelId: string, messageIds: readonly string[], viewer: string): Promise<readonly MessageRow[]> {
    return this.slices.pieces(messageIds, IDS_PER_STEP, (some) =>
      this.withReactions(channelId, this.ask.messages.all(idKey(channelId), idKeys(some)), viewer),
    );
  }

  private withReactions(channelId: string, rows: readonly Columns[], viewer: string): readonly MessageRow[] {
    if (rows.length === 0) return [];
    const byMessage = new Map<string, ReactionCount[]>();
    for (const [messageId, emoji, count, me] of this.ask.reactions.all(
      idKey(viewer),
      idKey(channelId),
      JSON.stringify(rows.map((row) => row[0])),
    )) {
      const reaction = { emoji, count, me: me === 1 };
      const list = byMessage.get(messageId);
      if (list === undefined) byMessage.set(messageId, [reaction]);
      else list.push(reaction);
    }
    return rows.map((row) => rowOf(channelId, row, byMessage.get(row[0]) ?? NO_REACTIONS));
  }

  async facts(
    channelId: string,
    messageId: string,
    reaction?: { readonly userId: string; readonly emoji: string },
  ): Promise<{ readonly through: number; readonly facts: MessageState | undefined }> {
    const key = [idKey(channelId), idKey(messageId)] as const;
    const through = this.ask.through.get(key[0])?.[0] ?? 0;
    const found = this.ask.message.get(...key);
    if (found === undefined) return { through, facts: undefined };
    const { ordinal, author, type, replyTo, mentions, flags, sealed, sealedIn, deleted } = rowOf(
      channelId,
      found,
      NO_REACTIONS,
    );
    return {
      through,
      facts: {
        ...{ messageId, ordinal, author, type, replyTo, mentions, flags, sealed, sealedIn, deleted },
        reactions: new Map(this.ask.counts.all(...key)),
        reacted:
          reaction !== undefined && this.ask.reaction.get(...key, reaction.emoji, idKey(reaction.userId)) !== undefined,
      },
    };
  }

  async reactors(
    channelId: string,
    messageId: string,
    emoji: string,
    query: { after?: string; limit: number },
  ): Promise<readonly string[]> {
    const key = [idKey(channelId), idKey(messageId), emoji] as const;
    return this.slices.step(() =>
      this.ask.reactors.all(...key, query.after ?? NOBODY, query.limit).map(([userId]) => userId),
    );
  }

  async deletedAmong(channelId: string, messageIds: readonly string[]): Promise<ReadonlySet<string>> {
    if (messageIds.length === 0) return new Set();
    let [first, last] = [messageIds[0]!, messageIds[0]!];
    for (const id of messageIds) {
      if (isBefore(id, first)) first = id;
      if (isBefore(last, id)) last = id;
    }
    // Mostly none is, which is one question, however many messages there are.
    const channel = idKey(channelId);
    const isAny = await this.slices.step(() => this.ask.anyDeleted.get(channel, first, last) !== undefined);
    if (!isAny) return new Set();
    const deleted = (some: readonly string[]) => this.ask.deleted.all(channel, idKeys(some));
    return new Set((await this.slices.pieces(messageIds, IDS_PER_STEP, deleted)).map(([id]) => id));
  }
}
