/**
 * Current state of single messages, even while the timelines lag behind the log or their store is down. What the
 * timeline does not hold yet is folded from the channel's stream. Pages of history come from the timelines alone.
 */
import type { LogReader } from '../../../log/port.ts';
import { StoreUnavailable } from '../../../schemas/errors.ts';
import { type ByType, handlerOf, type ParleyEvent, type TypesChanging } from '../../../schemas/events/catalogue.ts';
import { channelStream } from '../../../schemas/streams.ts';
import { type MessageRow, rowOfPosted, type TimelineReader } from './view.ts';

const PAGE = 1000;
/** Most events of a channel folded for one message. Beyond that the answer would take too long. */
const FOLDED = 20_000;

type Log = Pick<LogReader, 'readStream' | 'streamHead'>;

type Row = MessageRow | undefined;

const asItWas = (_: unknown, row: Row): Row => row;

/**
 * Applies events to a message's row. Reactions stay as the timeline counted them: folding them again would count them
 * twice.
 */
const evolve: ByType<TypesChanging<'timelines'>, [row: Row], Row> = {
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
  'message-deleted': (_, row) => row && { ...row, deleted: true, sealed: null },
  'reaction-added': asItWas,
  'reaction-removed': asItWas,
};

const evolved = (row: Row, event: ParleyEvent, messageId: string): Row => {
  const about = 'messageId' in event.data && event.data.messageId === messageId;
  const handler = about ? handlerOf(evolve, event) : undefined;
  return handler === undefined ? row : handler(event, row);
};

export class CurrentTimelines implements TimelineReader {
  private readonly timelines: TimelineReader;
  private readonly log: Log;

  constructor(timelines: TimelineReader, log: Log) {
    this.timelines = timelines;
    this.log = log;
  }

  page: TimelineReader['page'] = (...query) => this.timelines.page(...query);
  reactors: TimelineReader['reactors'] = (...query) => this.timelines.reactors(...query);
  deletedAmong: TimelineReader['deletedAmong'] = (...query) => this.timelines.deletedAmong(...query);

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
    let row = known?.row;
    for (const event of await this.eventsAfter(channelId, from, sequence)) row = evolved(row, event, messageId);
    return row;
  }

  async messages(channelId: string, messageIds: readonly string[], viewer: string): Promise<readonly MessageRow[]> {
    const known = await this.ifAvailable(() => this.timelines.messages(channelId, messageIds, viewer));
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
    if (from !== undefined && sequence - from > FOLDED) throw new StoreUnavailable('timelines', 5);
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
    if (head - after > FOLDED) throw new StoreUnavailable('timelines', 5);
    const stream = channelStream(channelId);
    const events: ParleyEvent[] = [];
    for (let from = after + 1; from <= head; from += PAGE)
      events.push(...(await this.log.readStream({ stream, from, limit: PAGE })));
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
    const left = { events: FOLDED };
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
    for (let next = from; next <= through; next += 50) {
      if (left.events <= 0) throw new StoreUnavailable('timelines', 5);
      left.events -= 50;
      for (const event of await this.log.readStream({ stream, from: next, limit: 50 })) {
        if (event.sequence > through) return undefined;
        if (event.type === 'message-posted') return { sequence: event.sequence, id: BigInt(event.data.messageId) };
      }
    }
    return undefined;
  }
}
