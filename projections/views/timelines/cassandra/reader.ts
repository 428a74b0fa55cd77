import type { Cassandra } from '../../../../stores/cassandra/connection.ts';
import { halvesOf, type MessageRow, type PageQuery, type TimelineReader } from '../view.ts';
import { COLUMNS, isWhole, messageOf, type Row, reactionKey, reactionsIn, reactorsOf, type StoredRow } from './rows.ts';
import { boundOf, idOf, MAX_ID, Places, type Tables } from './tables.ts';

// Reads ranges of a channel's messages, bucket by bucket. Skips deleted messages and incomplete rows.

/** Rows read at once when many are skipped. */
const LONGEST = 1000;

const isShown = (row: StoredRow): row is Row => isWhole(row) && row.deleted !== true;

class Pages {
  private readonly cassandra: Cassandra;
  private readonly places: Places;
  private readonly before: string;
  private readonly after: string;

  constructor(cassandra: Cassandra, places: Places, { messages }: Tables) {
    this.cassandra = cassandra;
    this.places = places;
    const partition = `SELECT ${COLUMNS} FROM ${messages} WHERE channel_id = ? AND bucket = ?`;
    this.before = `${partition} AND id < ? LIMIT ?`;
    this.after = `${partition} AND id > ? ORDER BY id ASC LIMIT ?`;
  }

  /** Messages before `id`, newest first, from `bucket` downwards. */
  async older(channel: bigint, bucket: number | undefined, id: bigint, limit: number): Promise<readonly Row[]> {
    const found: Row[] = [];
    if (bucket === undefined) return found;
    let from = id;
    let length = limit;
    for (let current = bucket; found.length < limit && current >= 0; ) {
      const rows = await this.read(this.before, channel, current, from, length);
      for (const row of rows) if (isShown(row)) found.push(row);
      if (rows.length < length) current -= 1;
      else from = rows.at(-1)!.id;
      length = Math.min(length * 2, LONGEST);
    }
    return found.slice(0, limit);
  }

  /** Messages after `id`, oldest first, from `bucket` upwards. */
  async newer(channel: bigint, bucket: number | undefined, id: bigint, limit: number): Promise<readonly Row[]> {
    const found: Row[] = [];
    let from = id;
    let length = limit;
    let newest: number | undefined;
    for (let current = bucket ?? 0; found.length < limit; ) {
      const rows = await this.read(this.after, channel, current, from, length);
      for (const row of rows) if (isShown(row)) found.push(row);
      if (rows.length < length) {
        if (found.length >= limit) break;
        newest ??= (await this.places.bucketAt(channel, MAX_ID)) ?? 0;
        if (current >= newest) break;
        current += 1;
      } else from = rows.at(-1)!.id;
      length = Math.min(length * 2, LONGEST);
    }
    return found.slice(0, limit);
  }

  private read(query: string, channel: bigint, bucket: number, id: bigint, limit: number) {
    return this.cassandra.execute<StoredRow>(query, [channel, bucket, id, limit]);
  }
}

/** Ids per query. */
const AT_ONCE = 100;

export class CassandraTimelineReader implements TimelineReader {
  private readonly cassandra: Cassandra;
  private readonly places: Places;
  private readonly pages: Pages;
  private readonly one: string;
  private readonly several: string;
  private readonly deleted: string;

  constructor(cassandra: Cassandra, tables: Tables) {
    this.cassandra = cassandra;
    this.places = new Places(cassandra, tables);
    this.pages = new Pages(cassandra, this.places, tables);
    const from = `FROM ${tables.messages} WHERE channel_id = ? AND bucket = ?`;
    this.one = `SELECT ${COLUMNS} ${from} AND id = ?`;
    this.several = `SELECT ${COLUMNS} ${from} AND id IN ?`;
    this.deleted = `SELECT id, deleted ${from} AND id IN ?`;
  }

  async page(channelId: string, query: PageQuery, viewer: string): Promise<readonly MessageRow[]> {
    const channel = idOf(channelId);
    if (channel === undefined) return [];
    const rows = await this.rowsOf(channel, query);
    return rows.map((row) => messageOf(channelId, row, viewer));
  }

  private async rowsOf(channel: bigint, query: PageQuery): Promise<readonly Row[]> {
    const { limit } = query;
    if ('after' in query) {
      const after = boundOf(query.after);
      const bucket = await this.places.bucketAt(channel, after);
      return [...(await this.pages.newer(channel, bucket, after, limit))].reverse();
    }
    if ('around' in query) {
      const halves = halvesOf(query);
      const around = boundOf(query.around);
      const bucket = await this.places.bucketAt(channel, around);
      const [newer, older] = await Promise.all([
        this.pages.newer(channel, bucket, around - 1n, halves.newer.limit),
        this.pages.older(channel, bucket, around, halves.older.limit),
      ]);
      return [...[...newer].reverse(), ...older];
    }
    const before = 'before' in query ? boundOf(query.before) : MAX_ID;
    return this.pages.older(channel, await this.places.bucketAt(channel, before - 1n), before, limit);
  }

  async message(channelId: string, messageId: string, viewer: string): Promise<MessageRow | undefined> {
    const row = (await this.placed(channelId, messageId)).row;
    return row && messageOf(channelId, row, viewer);
  }

  async messages(channelId: string, messageIds: readonly string[], viewer: string): Promise<readonly MessageRow[]> {
    const rows = await this.among(this.several, channelId, messageIds);
    return rows.filter(isWhole).map((row) => messageOf(channelId, row, viewer));
  }

  async deletedAmong(channelId: string, messageIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.among(this.deleted, channelId, messageIds);
    return new Set(rows.filter((row) => row.deleted === true).map((row) => String(row.id)));
  }

  /**
   * The channel's progress is read before the row, so the row may hold more than that says. The row records its own
   * last event too: changes to one message are written together, so the row holds every event of the message up to its
   * last.
   */
  facts: TimelineReader['facts'] = async (channelId, messageId, reaction) => {
    const { row, through } = await this.placed(channelId, messageId);
    if (row === undefined) return { through, facts: undefined };
    const reactions = reactionsIn(row);
    const message = messageOf(channelId, row, '');
    const { ordinal, author, type, replyTo, mentions, flags, sealed, sealedIn, deleted } = message;
    return {
      through: Math.max(through, Number(row.changed ?? 0n), Number(row.sequence)),
      facts: {
        ...{ messageId, ordinal, author, type, replyTo, mentions, flags, sealed, sealedIn, deleted },
        reactions: new Map(message.reactions.map(({ emoji, count }) => [emoji, count])),
        reacted: reaction !== undefined && reactions.has(reactionKey(reaction.userId, reaction.emoji)),
      },
    };
  };

  async reactors(
    channelId: string,
    messageId: string,
    emoji: string,
    query: { after?: string; limit: number },
  ): Promise<readonly string[]> {
    const { row } = await this.placed(channelId, messageId);
    return row === undefined ? [] : reactorsOf(reactionsIn(row), emoji, query);
  }

  private async placed(channelId: string, messageId: string): Promise<{ row: Row | undefined; through: number }> {
    const channel = idOf(channelId);
    const id = idOf(messageId);
    if (channel === undefined) return { row: undefined, through: 0 };
    if (id === undefined) return { row: undefined, through: await this.places.throughOf(channel) };
    const { bucket, through } = await this.places.placeOf(channel, id);
    if (bucket === undefined) return { row: undefined, through };
    const [row] = await this.cassandra.execute<StoredRow>(this.one, [channel, bucket, id]);
    return { row: row !== undefined && isWhole(row) ? row : undefined, through };
  }

  private async among(query: string, channelId: string, messageIds: readonly string[]): Promise<readonly StoredRow[]> {
    const channel = idOf(channelId);
    if (channel === undefined) return [];
    const ids = messageIds.map(idOf).filter((id) => id !== undefined);
    const asked: Promise<readonly StoredRow[]>[] = [];
    for (const [bucket, inBucket] of await this.places.bucketsOf(channel, ids)) {
      for (let at = 0; at < inBucket.length; at += AT_ONCE) {
        asked.push(this.cassandra.execute(query, [channel, bucket, inBucket.slice(at, at + AT_ONCE)]));
      }
    }
    return (await Promise.all(asked)).flat();
  }
}
