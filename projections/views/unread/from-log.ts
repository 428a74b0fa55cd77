/**
 * Unread counts from the log alone, for when their store is unavailable. They cost more, and mentions before the last
 * few hundred events of a channel are not counted.
 */

import { LRUCache } from 'lru-cache';
import { readFold, WHOLE_MAP_EVERY } from '../../../domain/read-markers.ts';
import type { LogReader } from '../../../log/port.ts';
import { StoreUnavailable } from '../../../schemas/errors.ts';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { lru } from '../../../schemas/lru.ts';
import { inParallel } from '../../../schemas/parallel.ts';
import { channelStream, readStream } from '../../../schemas/streams.ts';
import type { Floors } from './reader.ts';
import {
  type ChannelHead,
  keptTargets,
  type MentionTarget,
  mentionsOf,
  noRoles,
  type ReadState,
  type RolesIn,
  type UnreadReader,
} from './view.ts';

/** How far the store is. */
interface Lateness {
  readonly late: boolean;
  /** True once the store holds the position; false when that takes so long that it is late. */
  heldInTime(position: number): Promise<boolean>;
}

const NEVER_LATE: Lateness = { late: false, heldInTime: async () => true };

/** Unread counts that come from the log when their store is unavailable or late. */
class UnreadWithFallback implements UnreadReader {
  private readonly primary: UnreadReader;
  private readonly fallback: UnreadFallback;
  private readonly lateness: Lateness;
  /** Position through which the log was shown. The store is not asked again until it holds that. */
  private shown = 0;

  constructor(primary: UnreadReader, fallback: UnreadFallback, lateness: Lateness) {
    this.primary = primary;
    this.fallback = fallback;
    this.lateness = lateness;
  }

  head(channelId: string): Promise<ChannelHead> {
    return this.ask((reader) => reader.head(channelId));
  }

  heads(channelIds: readonly string[]): Promise<ReadonlyMap<string, ChannelHead>> {
    return this.ask((reader) => reader.heads(channelIds));
  }

  readStates(userId: string, channelIds: readonly string[], rolesIn?: RolesIn): Promise<readonly ReadState[]> {
    return this.ask((reader) => reader.readStates(userId, channelIds, rolesIn));
  }

  /** One reader answers the whole question: halves of two would not match. */
  private async ask<T>(question: (reader: UnreadReader) => Promise<T>): Promise<T> {
    if (this.lateness.late || !(await this.holdsShown())) return this.fromLog(question);
    try {
      return await question(this.primary);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      return this.fromLog(question);
    }
  }

  private async holdsShown(): Promise<boolean> {
    const { shown } = this;
    if (shown === 0) return true;
    if (!(await this.lateness.heldInTime(shown))) return false;
    if (this.shown === shown) this.shown = 0;
    return true;
  }

  private async fromLog<T>(question: (reader: UnreadReader) => Promise<T>): Promise<T> {
    const answer = await question(this.fallback);
    this.shown = Math.max(this.shown, await this.fallback.through());
    return answer;
  }
}

interface UnreadFallback extends UnreadReader {
  /** A position that no answer so far goes beyond. */
  through(): Promise<number>;
}

/**
 * Asks `fallback` when `primary` is unavailable or incomplete, or late. After that `primary` is asked again once it holds
 * what was shown, so nobody is shown less than before.
 */
export const unreadWithFallback = (
  primary: UnreadReader,
  fallback: UnreadFallback,
  lateness: Lateness = NEVER_LATE,
): UnreadReader => new UnreadWithFallback(primary, fallback, lateness);

/** Most events of a channel that are searched for a user's own last message and mentions. */
const LOOKED_AT = 300;
const FIRST_PAGE = 20;
const PAGE = 100;
/** Reads of the log at the same time. */
const TOGETHER = 8;
const HEADS = 10_000;
const PEOPLE = 1000;
/** Markers of all these people: about 100 bytes each. */
const MARKERS = 200_000;

interface Markers {
  readonly sequence: number;
  readonly channels: ReadonlyMap<string, number>;
  readonly back: ReadonlyMap<string, number>;
}

export class UnreadFromLog implements UnreadFallback {
  private readonly log: LogReader;
  private readonly floors: Floors;
  private readonly knownHeads = lru<string, ChannelHead>(HEADS);
  private readonly knownMarkers = new LRUCache<string, Markers>({
    max: PEOPLE,
    maxSize: MARKERS,
    sizeCalculation: ({ channels, back }) => channels.size + back.size + 1,
  });

  constructor(log: LogReader, floors: Floors) {
    this.log = log;
    this.floors = floors;
  }

  through(): Promise<number> {
    return this.log.head();
  }

  /** The last message, whatever other events came after it. */
  async head(channelId: string): Promise<ChannelHead> {
    const known = this.knownHeads.get(channelId);
    let head: ChannelHead = { channelId, ordinal: 0, messageId: null, sequence: 0, position: 0 };
    for await (const event of this.backwards(channelStream(channelId))) {
      if (head.sequence === 0) head = { ...head, sequence: event.sequence, position: event.position };
      if (event.sequence <= (known?.sequence ?? 0)) {
        head = { ...head, ordinal: known!.ordinal, messageId: known!.messageId };
        break;
      }
      if (event.type !== 'message-posted') continue;
      head = { ...head, ordinal: event.data.ordinal, messageId: event.data.messageId };
      break;
    }
    this.knownHeads.set(channelId, head);
    return head;
  }

  async heads(channelIds: readonly string[]): Promise<ReadonlyMap<string, ChannelHead>> {
    const heads = await inParallel(channelIds, TOGETHER, (channelId) => this.head(channelId));
    return new Map(heads.map((head) => [head.channelId, head]));
  }

  async readStates(
    userId: string,
    channelIds: readonly string[],
    rolesIn: RolesIn = noRoles,
  ): Promise<readonly ReadState[]> {
    const markers = await this.markersOf(userId);
    return inParallel(channelIds, TOGETHER, (channelId) =>
      this.state({ userId, roles: rolesIn(channelId) }, channelId, markers),
    );
  }

  private async state(
    { userId, roles }: { readonly userId: string; readonly roles: readonly string[] },
    channelId: string,
    { channels, back }: Markers,
  ): Promise<ReadState> {
    const marker = channels.get(channelId);
    /** What was said up to it does not count. */
    const unreadFrom = back.get(channelId) ?? 0;
    const { ordinal: last, messageId: lastMessageId } = await this.head(channelId);
    const from = marker ?? 0;
    let own = 0;
    /** Whom each event of a message mentions, the newest first. */
    const told = new Map<number, (readonly MentionTarget[])[]>();
    if (from < last) {
      let looked = 0;
      for await (const event of this.backwards(channelStream(channelId))) {
        looked += 1;
        for (const { ordinal, targets } of mentionedBy(event, channelId))
          told.set(ordinal, [...(told.get(ordinal) ?? []), targets]);
        if (event.type === 'message-posted' && event.data.author === userId && event.data.ordinal > unreadFrom)
          own = event.data.ordinal;
        const reached = event.type === 'message-posted' && event.data.ordinal <= from + 1;
        if (own > 0 || reached || looked === LOOKED_AT) break;
      }
    }
    const unmarked = marker === undefined && own === 0;
    const read = unmarked ? await this.floors.floor(userId, channelId) : Math.max(from, own);
    const readOrdinal = Math.min(read, last);
    const counting = ['everyone', userId, ...roles];
    const beyond = [...told].filter(
      ([ordinal, newestFirst]) =>
        ordinal > readOrdinal &&
        ordinal <= last &&
        newestFirst.reduceRight(keptTargets).some((target) => counting.includes(target)),
    );
    return { channelId, readOrdinal, unread: last - readOrdinal, mentions: beyond.length, lastMessageId };
  }

  /** Reads back to what is known, or to the event that lists all markers, at most a thousand events away. */
  private async markersOf(userId: string): Promise<Markers> {
    const known = this.knownMarkers.get(userId);
    const newer: ParleyEvent[] = [];
    for await (const event of this.backwards(readStream(userId))) {
      if (event.sequence <= (known?.sequence ?? 0)) break;
      newer.push(event);
      if ((event.type === 'channels-read' && event.data.whole) || newer.length > WHOLE_MAP_EVERY) break;
    }
    if (known !== undefined && newer.length === 0) return known;
    const begun = {
      ...{ sequence: known?.sequence ?? 0, channels: new Map(known?.channels), back: new Map(known?.back) },
    };
    const markers = newer.reverse().reduce(readFold.evolve, begun);
    this.knownMarkers.set(userId, markers);
    return markers;
  }

  private async *backwards(stream: string): AsyncGenerator<ParleyEvent> {
    let events = await this.log.readStream({ stream, direction: 'backwards', limit: FIRST_PAGE });
    let from = 0;
    do {
      yield* events;
      from = (events.at(-1)?.sequence ?? 1) - 1;
      if (from > 0) events = await this.log.readStream({ stream, from, direction: 'backwards', limit: PAGE });
    } while (from > 0);
  }
}

/** As the view is told, and of a message that mentions nobody too: its edits add nobody. */
const mentionedBy = (event: ParleyEvent, channelId: string) => {
  const told = mentionsOf(event, channelId);
  return event.type === 'message-posted' && told.length === 0 ? [{ ordinal: event.data.ordinal, targets: [] }] : told;
};
