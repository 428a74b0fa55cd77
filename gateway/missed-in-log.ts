/**
 * What a session missed, from the log. If little has happened, one read of the whole log finds it. Otherwise its
 * channels and the index of its guilds are first counted, and then merged in position order, a page at a time.
 */

import { isFull, pageOrUnreadable, type ReadStream, upToUnreadable } from '../log/port.ts';
import { audiencesOf, type ParleyEvent, UnreadableEvent } from '../schemas/events/catalogue.ts';
import type { Caller } from '../schemas/fair-queue.ts';
import { deletedBy } from '../schemas/message-ids.ts';
import { inParallel } from '../schemas/parallel.ts';
import { type Audience, channelStream } from '../schemas/streams.ts';
import { encodedDispatches } from './encoding.ts';
import { type Hearing, type Missed, type MissedPage, received } from './missed-audiences.ts';
import { bytesInMemory } from './ring.ts';
import type { Session } from './session.ts';
import type { Parts } from './session-start.ts';

const CHANNEL = 'channel:';
/** Bytes of events after which a page ends. */
const PAGE_BYTES = 1024 * 1024;
/**
 * Events looked at per allowed dispatch, so that a session with few intents cannot make the server read a guild's whole
 * history.
 */
const LOOKED_PER_DISPATCH = 10;
/** Events of the index read at the same time. */
const TOGETHER = 8;

/** The first events that have so many bytes; the others are read again. */
const upToBytes = (page: readonly ParleyEvent[], most: number): readonly ParleyEvent[] => {
  let bytes = 0;
  for (const [i, event] of page.entries()) {
    bytes += bytesInMemory(event);
    if (bytes >= most) return page.slice(0, i + 1);
  }
  return page;
};

/** Events in position order, some at a time. */
interface Source {
  /** The next events that the session hears. */
  readonly events: ParleyEvent[];
  /** Whether nothing follows `events`. */
  ended: boolean;
  /** Adds to `events`, or ends. */
  read(): Promise<void>;
}

export class MissedInLog {
  private readonly parts: Parts;
  private readonly caller: Caller;
  private readonly hearing: Hearing;
  private readonly size: number;
  /** Messages deleted within the range: their text is not shown. */
  private readonly deleted = new Set<string>();
  /** Events and entries that may still be looked at. */
  private looksLeft = Number.POSITIVE_INFINITY;
  /** Position of the last event given. */
  private given = 0;
  private sources: readonly Source[] | undefined;

  constructor(parts: Parts, session: Session, hearing: Hearing) {
    this.parts = parts;
    this.caller = session.caller;
    this.hearing = hearing;
    this.size = parts.deps.config.resumes.page;
  }

  /** Counts what there is after a position. @returns whether it can be sent */
  async look(after: number, limit: number): Promise<'log' | 'too-many' | 'unreadable'> {
    try {
      return (await this.isWithin(after, limit)) ? 'log' : 'too-many';
    } catch (failure) {
      if (failure instanceof UnreadableEvent) return 'unreadable';
      throw failure;
    }
  }

  /** @throws UnreadableEvent when the session hears its stream */
  private async isWithin(after: number, limit: number): Promise<boolean> {
    this.looksLeft = limit * LOOKED_PER_DISPATCH + this.size;
    const all = await this.all(after);
    if (all !== undefined) {
      this.sources = [{ events: all, ended: true, read: async () => {} }];
      return all.length <= limit;
    }
    const audiences = this.hearing.audiences.map(([audience, from]) => [audience, Math.max(after, from)] as const);
    const channels = audiences.filter(([audience]) => audience.startsWith(CHANNEL));
    const indexed = audiences.filter(([audience]) => !audience.startsWith(CHANNEL)).map(([audience]) => audience);
    const found = await this.countChannels(channels, limit);
    if (found === undefined || !(await this.countIndexed(indexed, after, limit - found.count))) return false;
    // All sources together hold a page or two, in events and in bytes.
    const each = Math.max(5, Math.ceil(this.size / (1 + found.begins.length)));
    const bytes = PAGE_BYTES / (1 + found.begins.length);
    this.sources = [
      this.indexSource(indexed, after, each),
      ...found.begins.map(([stream, sequence]) => this.channelSource(stream, sequence, each, bytes)),
    ];
    return true;
  }

  async after(position: number): Promise<MissedPage> {
    // Never too many: the ring has counted them, and has moved on since.
    if (this.sources === undefined) await this.look(position, Number.POSITIVE_INFINITY);
    const missed: Missed[] = [];
    for (let bytes = 0; ; ) {
      const event = await this.next();
      if (event === undefined) return { missed, through: this.hearing.range.through };
      missed.push({ event, dispatches: () => this.dispatches(event) });
      bytes += bytesInMemory(event);
      if (missed.length >= this.size || bytes >= PAGE_BYTES) return { missed, through: event.position };
    }
  }

  private async dispatches(event: ParleyEvent) {
    const receiving = this.hearing.of(event, audiencesOf(event));
    if (receiving === undefined) return [];
    return received(receiving, await encodedDispatches(this.parts.renderer, event, receiving.guildId, this.deleted));
  }

  /** Reads of the log are few at a time. Since any number may wait, everybody's turn comes. */
  private ask<T>(read: () => Promise<T>): Promise<T> {
    return this.parts.logReads.run(this.caller, read) as Promise<T>;
  }

  /**
   * A page of a stream, which ends before an event that cannot be read. The stream counts as ended there if the event is
   * of no interest.
   * @throws UnreadableEvent when that event is the next, and of interest
   */
  private async pageOf(query: ReadStream, isOfInterest: (position: number) => boolean) {
    let asked = query.limit;
    const read = (limit: number) => {
      asked = limit;
      return this.parts.deps.log.readStream({ ...query, limit });
    };
    try {
      const page = await this.ask(() => upToUnreadable(read, query.limit));
      return { page, ended: !isFull(page, asked) };
    } catch (failure) {
      if (!(failure instanceof UnreadableEvent) || isOfInterest(failure.event.position)) throw failure;
      return { page: [], ended: true };
    }
  }

  private hears(event: ParleyEvent): boolean {
    return this.hearing.of(event, audiencesOf(event)) !== undefined;
  }

  /** What the session hears of the whole log, if that is a page at most, and all of it can be read. */
  private async all(after: number): Promise<ParleyEvent[] | undefined> {
    const { log } = this.parts.deps;
    const page = await this.ask(() => pageOrUnreadable((limit) => log.readAll({ after, limit }), this.size));
    if ('unreadable' in page || page.through < this.hearing.range.through) return undefined;
    const heard = page.events.filter((event) => this.hears(event));
    if (heard.reduce((sum, event) => sum + bytesInMemory(event), 0) > PAGE_BYTES) return undefined;
    for (const event of page.events) this.noteDeleted(event);
    return heard;
  }

  private noteDeleted(event: ParleyEvent): void {
    for (const id of deletedBy(event)) this.deleted.add(id);
  }

  /** @returns how many events there are, and the streams with the sequences of the first; `undefined` when too many */
  private async countChannels(
    channels: readonly (readonly [audience: Audience, after: number])[],
    limit: number,
  ): Promise<{ readonly count: number; readonly begins: readonly (readonly [string, number])[] } | undefined> {
    const streams = channels.map(([audience]) => channelStream(audience.slice(CHANNEL.length)));
    const heads = await this.ask(() => this.parts.deps.log.streamHeads(streams));
    const begins: (readonly [string, number])[] = [];
    let count = 0;
    for (const [n, { stream, sequence, position }] of heads.entries()) {
      const after = channels[n]![1];
      if (position <= after) continue;
      const found = await this.countBackwards(stream, sequence, after, limit - count);
      if (found === undefined) return undefined;
      count += found.count;
      if (found.count > 0) begins.push([stream, found.first]);
    }
    return { count, begins };
  }

  /**
   * Reads backwards from the head to what the session knows: quiet channels cost nothing, however many events they
   * hold.
   */
  private async countBackwards(stream: string, head: number, after: number, limit: number) {
    let count = 0;
    let first = head;
    for (let from = head; from > 0; ) {
      const query = { stream, from, direction: 'backwards', limit: this.size } as const;
      const { page, ended } = await this.pageOf(query, (position) => position > after);
      for (const event of page) {
        if (event.position <= after) return { count, first };
        first = event.sequence;
        this.looksLeft -= 1;
        this.noteDeleted(event);
        if (this.hears(event)) count += 1;
      }
      if (count > limit || this.looksLeft < 0) return undefined;
      if (ended) break;
      from = page.at(-1)!.sequence - 1;
    }
    return { count, first };
  }

  /** Events of guild and user audiences, through their index. */
  private async countIndexed(audiences: readonly Audience[], from: number, limit: number): Promise<boolean> {
    const { through } = this.hearing.range;
    let count = 0;
    for (let after = from; ; ) {
      const entries = await this.ask(() =>
        this.parts.deps.views.audiences.between(audiences, after, through, this.size),
      );
      for (const entry of entries) if (this.hearing.asksFor(entry)) count += 1;
      this.looksLeft -= entries.length;
      if (count > limit || this.looksLeft < 0) return false;
      if (entries.length < this.size) return true;
      after = entries.at(-1)!.position;
    }
  }

  /** @param most bytes after which it holds no more, and at least one event */
  private channelSource(stream: string, first: number, limit: number, most: number): Source {
    const { through } = this.hearing.range;
    let from = first;
    const source: Source = {
      events: [],
      ended: false,
      read: async () => {
        const { page, ended } = await this.pageOf({ stream, from, limit }, (position) => position <= through);
        const events = upToBytes(page, most);
        from += events.length;
        const last = events.length === page.length && ended;
        source.ended = last || events.at(-1)!.position >= through;
        source.events.push(...events.filter((event) => this.hears(event)));
      },
    };
    return source;
  }

  private indexSource(audiences: readonly Audience[], first: number, limit: number): Source {
    const { log, views } = this.parts.deps;
    const { through } = this.hearing.range;
    let after = first;
    const source: Source = {
      events: [],
      ended: false,
      read: () =>
        this.ask(async () => {
          const entries = await views.audiences.between(audiences, after, through, limit);
          source.ended = entries.length < limit;
          // The next page begins with the last event again: it may have an entry for another audience.
          after = (entries.at(-1)?.position ?? through) - 1;
          const wanted = entries.filter((entry) => this.hearing.asksFor(entry));
          const events = await inParallel(wanted, TOGETHER, ({ stream, sequence }) =>
            log.readStream({ stream, from: sequence, limit: 1 }),
          );
          source.events.push(...events.flat().filter((event) => this.hears(event)));
        }),
    };
    return source;
  }

  /** The next event in position order, once, though several sources may have it. */
  private async next(): Promise<ParleyEvent | undefined> {
    let next: ParleyEvent | undefined;
    for (const source of this.sources!) {
      const event = await this.firstOf(source);
      if (event !== undefined && (next === undefined || event.position < next.position)) next = event;
    }
    this.given = next?.position ?? this.given;
    return next;
  }

  private async firstOf(source: Source): Promise<ParleyEvent | undefined> {
    const { events } = source;
    for (;;) {
      while (events.length > 0 && events[0]!.position <= this.given) events.shift();
      if (events.length > 0 || source.ended) return events[0];
      await source.read();
    }
  }
}
