/**
 * Current state of messages, even while the timelines lag behind the log or their store is down. What the
 * timeline does not hold yet is folded from the channel's stream. Pages of history need the timelines' store.
 */
import { bytesOfEvent, type LogReader } from '../../../log/port.ts';
import { StoreUnavailable } from '../../../schemas/errors.ts';
import {
  type ByType,
  type EventOf,
  handlerOf,
  type ParleyEvent,
  type TypesChanging,
} from '../../../schemas/events/catalogue.ts';
import { lru } from '../../../schemas/lru.ts';
import { deletedBy, messagesOf } from '../../../schemas/message-ids.ts';
import { channelStream } from '../../../schemas/streams.ts';
import { BUDGETS } from '../../../stores/budgets.ts';
import { latePage } from '../late-page.ts';
import { halvesOf, type MessageRow, type PageQuery, rowOfPosted, type SideQuery, type TimelineReader } from './view.ts';

const PAGE = 1000;
/** Channels of which is remembered how far they were shown. */
const SHOWN = 10_000;
const { looked } = BUDGETS.lateViews;

type Log = Pick<LogReader, 'readStream' | 'streamHead'>;

type Row = MessageRow | undefined;

/** Whose reactions to count, and with which emoji. The store may already hold those of other people, which would then count twice. */
type Counted = (userId: string, emoji: string) => boolean;

const react = (
  { data: { userId, emoji } }: EventOf<'reaction-added'> | EventOf<'reaction-removed'>,
  row: Row,
  added: boolean,
  viewer: string,
  counted: Counted,
): Row => {
  const former = row?.reactions.find((reaction) => reaction.emoji === emoji) ?? { emoji, count: 0, me: false };
  if (row === undefined || !counted(userId, emoji) || (userId === viewer && former.me === added)) return row;
  const { me, count } = former;
  const changed = { emoji, count: count + (added ? 1 : -1), me: userId === viewer ? added : me };
  const others = row.reactions.map((reaction) => (reaction.emoji === emoji ? changed : reaction));
  const reactions = others.includes(changed) ? others : [...others, changed];
  return { ...row, reactions: reactions.filter((reaction) => reaction.count > 0) };
};

const withoutText = (row: Row): Row => row && { ...row, deleted: true, sealed: null, reactions: [] };

/** Applies events to a message's row. */
const evolve: ByType<TypesChanging<'timelines'>, [row: Row, viewer: string, counted: Counted], Row> = {
  'message-posted': (event, row) => row ?? rowOfPosted(event),
  'message-edited': (event, row) =>
    row === undefined || row.deleted
      ? row
      : {
          ...row,
          editedTime: event.time,
          mentions: event.data.mentions,
          flags: event.data.flags ?? row.flags,
          sealed: event.data.sealed,
          sealedIn: event.id,
        },
  'embeds-suppressed': ({ data: { flags } }, row) => row && { ...row, flags },
  'message-threaded': ({ data: { flags } }, row) => row && { ...row, flags },
  'message-deleted': (_, row) => withoutText(row),
  'messages-deleted': (_, row) => withoutText(row),
  'reaction-added': (event, row, viewer, counted) => react(event, row, true, viewer, counted),
  'reaction-removed': (event, row, viewer, counted) => react(event, row, false, viewer, counted),
  'reactions-cleared': ({ data: { emoji } }, row) =>
    row && { ...row, reactions: row.reactions.filter((reaction) => emoji !== null && reaction.emoji !== emoji) },
};

const deletes = (event: ParleyEvent, messageId: string): boolean => deletedBy(event).includes(messageId);

/** @param events about this message, of which the row may hold some already */
const evolved = (row: Row, events: readonly ParleyEvent[], viewer: string): Row => {
  // A message that the store does not know has no reactions there.
  let cleared: ReadonlySet<string> | 'all' = row === undefined ? 'all' : new Set();
  const counted: Counted = (userId, emoji) => userId === viewer || cleared === 'all' || cleared.has(emoji);
  return events.reduce((now, event) => {
    // What is known to be none is counted from there on.
    if (event.type === 'reactions-cleared' && cleared !== 'all')
      cleared = event.data.emoji === null ? 'all' : new Set([...cleared, event.data.emoji]);
    return handlerOf(evolve, event)?.(event, now, viewer, counted) ?? now;
  }, row);
};

const idDescending = (a: MessageRow, b: MessageRow): number => (BigInt(a.id) < BigInt(b.id) ? 1 : -1);

export class CurrentTimelines implements TimelineReader {
  private readonly timelines: TimelineReader;
  private readonly log: Log;
  private readonly isLate: () => boolean;
  /**
   * Sequences through which channels were shown before the timelines held that. What was shown once is shown from then
   * on, also when the timelines are no longer late and have not quite caught up.
   */
  private readonly shown = lru<string, number>(SHOWN);

  /** @param isLate whether pages and lists must make up for what the timelines do not hold yet */
  constructor(timelines: TimelineReader, log: Log, isLate: () => boolean = () => false) {
    this.timelines = timelines;
    this.log = log;
    this.isLate = isLate;
  }

  async page(channelId: string, query: PageQuery, viewer: string): Promise<readonly MessageRow[]> {
    const lacking = await this.lacking(channelId);
    if (lacking.size === 0) return this.timelines.page(channelId, query, viewer);
    const page = (side: SideQuery) => this.completed(channelId, side, viewer, lacking);
    if (!('around' in query)) return page(query);
    const { newer, older } = halvesOf(query);
    return (await Promise.all([page(newer), page(older)])).flat();
  }

  async reactors(
    channelId: string,
    messageId: string,
    emoji: string,
    query: { after?: string; limit: number },
  ): Promise<readonly string[]> {
    const events = (await this.lacking(channelId)).get(messageId) ?? [];
    const changed = new Map<string, string | undefined>();
    let none = false;
    for (const event of events) {
      const cleared = event.type === 'reactions-cleared' && (event.data.emoji ?? emoji) === emoji;
      if (cleared || deletes(event, messageId)) {
        changed.clear();
        none = true;
      } else if ((event.type === 'reaction-added' || event.type === 'reaction-removed') && event.data.emoji === emoji)
        changed.set(event.data.userId, event.type === 'reaction-added' ? event.data.userId : undefined);
    }
    return latePage({
      query,
      changed,
      idOf: (userId) => userId,
      stored: async (part) => (none ? [] : this.timelines.reactors(channelId, messageId, emoji, part)),
    });
  }

  async deletedAmong(channelId: string, messageIds: readonly string[]): Promise<ReadonlySet<string>> {
    const lacking = await this.lacking(channelId);
    const deleted = new Set(await this.timelines.deletedAmong(channelId, messageIds));
    for (const id of messageIds) if (lacking.get(id)?.some((event) => deletes(event, id))) deleted.add(id);
    return deleted;
  }

  /**
   * By message, the events of the channel that late timelines may not hold. If they are not late, only those that were
   * shown already.
   */
  private async lacking(channelId: string): Promise<ReadonlyMap<string, ParleyEvent[]>> {
    const events = new Map<string, ParleyEvent[]>();
    const shown = this.shown.get(channelId);
    const isLate = this.isLate();
    if (!isLate && shown === undefined) return events;
    // The progress of the channel, whichever message it is asked with.
    const { through } = await this.timelines.facts(channelId, '0');
    const needed = isLate ? (await this.log.streamHead(channelStream(channelId))).sequence : shown!;
    if (through >= needed) {
      if (this.shown.get(channelId) === shown) this.shown.delete(channelId);
      return events;
    }
    const found = await this.eventsAfter(channelId, through, needed);
    this.noteShown(channelId, needed);
    for (const event of found)
      for (const id of messagesOf(event)) {
        const about = events.get(id);
        if (about === undefined) events.set(id, [event]);
        else about.push(event);
      }
    return events;
  }

  private noteShown(channelId: string, through: number): void {
    this.shown.set(channelId, Math.max(through, this.shown.get(channelId) ?? 0));
  }

  /** A page of the timelines, with the events applied that they lack. */
  private async completed(
    channelId: string,
    query: SideQuery,
    viewer: string,
    lacking: ReadonlyMap<string, ParleyEvent[]>,
  ): Promise<readonly MessageRow[]> {
    const { limit } = query;
    const gone = [...lacking].filter(([id, events]) => events.some((event) => deletes(event, id)));
    // As many rows more as may have gone.
    const stored = await this.timelines.page(channelId, { ...query, limit: limit + gone.length }, viewer);
    const known = new Set(stored.map(({ id }) => id));
    const isNew = ([event]: readonly ParleyEvent[], id: string) =>
      event?.type === 'message-posted' &&
      !known.has(id) &&
      (!('before' in query) || BigInt(id) < BigInt(query.before)) &&
      (!('after' in query) || BigInt(id) > BigInt(query.after));
    const posted = [...lacking].filter(([id, events]) => isNew(events, id));
    const rows = [
      ...posted.map(([, events]) => evolved(undefined, events, viewer)),
      ...stored.map((row) => evolved(row, lacking.get(row.id) ?? [], viewer)),
    ]
      .flatMap((row) => (row === undefined || row.deleted ? [] : [row]))
      .sort(idDescending);
    return 'after' in query ? rows.slice(-limit) : rows.slice(0, limit);
  }

  async message(channelId: string, messageId: string, viewer: string): Promise<MessageRow | undefined> {
    const known = await this.ifAvailable(async () => {
      // Read before the row, which may then hold more than `through`, never less.
      const { through } = await this.timelines.facts(channelId, messageId);
      return { through, row: await this.timelines.message(channelId, messageId, viewer) };
    });
    const { sequence } = await this.log.streamHead(channelStream(channelId));
    if (known !== undefined && known.through >= sequence) return known.row;
    const from = known?.through ?? (await this.beforePosting(channelId, messageId));
    if (from === undefined) return known?.row;
    const events = await this.eventsAfter(channelId, from, sequence);
    this.noteShown(channelId, sequence);
    return evolved(
      known?.row,
      events.filter((event) => messagesOf(event).includes(messageId)),
      viewer,
    );
  }

  async messages(channelId: string, messageIds: readonly string[], viewer: string): Promise<readonly MessageRow[]> {
    const known = await this.ifAvailable(async () => {
      const lacking = await this.lacking(channelId);
      const rows = await this.timelines.messages(channelId, messageIds, viewer);
      return rows.map((row) => evolved(row, lacking.get(row.id) ?? [], viewer) ?? row);
    });
    const found = new Set(known?.map((row) => row.id));
    const missing = messageIds.filter((id) => !found.has(id));
    const others = await Promise.all(missing.map((id) => this.message(channelId, id, viewer)));
    return [...(known ?? []), ...others.filter((row) => row !== undefined)];
  }

  async facts(
    channelId: string,
    messageId: string,
    reaction?: { readonly userId: string; readonly emoji: string },
  ): ReturnType<TimelineReader['facts']> {
    const known = await this.ifAvailable(() => this.timelines.facts(channelId, messageId, reaction));
    if (known !== undefined) return known;
    const stream = channelStream(channelId);
    const from = await this.beforePosting(channelId, messageId);
    const { sequence } = await this.log.streamHead(stream);
    if (from !== undefined && sequence - from > looked.events) throw new StoreUnavailable('timelines', 5);
    return { through: from ?? sequence, facts: undefined };
  }

  private async ifAvailable<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (error instanceof StoreUnavailable) return undefined;
      throw error;
    }
  }

  private async eventsAfter(channelId: string, after: number, head: number): Promise<readonly ParleyEvent[]> {
    if (head - after > looked.events) throw new StoreUnavailable('timelines', 5);
    const stream = channelStream(channelId);
    const events: ParleyEvent[] = [];
    let bytes = 0;
    for (let from = after + 1; from <= head; ) {
      // Not beyond `head`: that far it is noted as shown.
      const limit = Math.min(PAGE, head - from + 1);
      const page = await this.log.readStream({ stream, from, limit });
      if (page.length === 0) break;
      for (const event of page) bytes += bytesOfEvent(event);
      if (bytes > looked.bytes) throw new StoreUnavailable('timelines', 5);
      events.push(...page);
      from += page.length;
    }
    return events;
  }

  /**
   * Ids of a channel's messages grow with their sequences, so a binary search finds the post.
   * @returns the sequence before it; `undefined` if no message has this id
   * @throws StoreUnavailable when too many other events lie between the messages
   */
  private async beforePosting(channelId: string, messageId: string): Promise<number | undefined> {
    const stream = channelStream(channelId);
    const wanted = BigInt(messageId);
    let low = 1;
    let high = (await this.log.streamHead(stream)).sequence;
    const left = { events: looked.events };
    while (low <= high) {
      const middle = (low + high) >> 1;
      const posted = await this.firstPosted(stream, middle, high, left);
      if (posted === undefined) high = middle - 1;
      else if (posted.id === wanted) return posted.sequence - 1;
      else if (posted.id < wanted) low = posted.sequence + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  /** @param left how many events may still be looked through */
  private async firstPosted(stream: string, from: number, through: number, left: { events: number }) {
    for (let next = from; next <= through; ) {
      if (left.events <= 0) throw new StoreUnavailable('timelines', 5);
      left.events -= 50;
      const page = await this.log.readStream({ stream, from: next, limit: 50 });
      if (page.length === 0) return undefined;
      for (const event of page) {
        if (event.sequence > through) return undefined;
        if (event.type === 'message-posted') return { sequence: event.sequence, id: BigInt(event.data.messageId) };
      }
      next += page.length;
    }
    return undefined;
  }
}
