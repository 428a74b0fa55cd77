/** Reading acknowledged events, from the leader. */

import {
  type AllStreamRecordedEvent,
  ErrorType,
  type EventStoreDBClient,
  type Position,
  type ReadPosition,
  type RecordedEvent,
  type ResolvedEvent,
  type StreamingRead,
} from '@eventstore/db-client';
import type { Clock } from '../../schemas/clock.ts';
import { decodeEvent, type ParleyEvent } from '../../schemas/events/catalogue.ts';
import { inParallel } from '../../schemas/parallel.ts';
import { asking } from '../../stores/kurrentdb/connection.ts';
import { isMisplaced, NoAnswer, typeOf } from '../../stores/kurrentdb/failures.ts';
import {
  checkLimit,
  filled,
  isFull,
  type Page,
  PageSize,
  type ReadAll,
  type ReadStream,
  type StoredEvent,
  type StoredPage,
  type StreamHead,
} from '../port.ts';
import { type AnyRecorded, isOurs, positionOf, sequenceOf, toRecorded, toStored } from './events.ts';
import { Following, type Wanted } from './subscription.ts';

// Reads that end by themselves, event by event, and give up on a silent server.

/** Returns false to stop. */
type Take<E> = (event: E) => boolean;

const PIECE = 1_000;

interface Resolved<E> {
  readonly event?: E;
}

/** @throws the error of the server or the connection, or NoAnswer */
const taking = <E>(
  read: StreamingRead<Resolved<E>>,
  take: Take<E>,
  { silenceMs, clock }: { readonly silenceMs: number; readonly clock: Clock },
): Promise<void> =>
  new Promise((resolve, reject) => {
    let over = false;
    const end = (settle: () => void): void => {
      if (over) return;
      over = true;
      cancel();
      // Rejects if there never was a connection.
      read.cancel().catch(() => {});
      settle();
    };
    const wait = () => clock.setTimer(silenceMs, () => end(() => reject(new NoAnswer(silenceMs))));
    let cancel = wait();
    read.on('data', ({ event }) => {
      if (over || event === undefined) return;
      cancel();
      cancel = wait();
      try {
        if (!take(event)) end(resolve);
      } catch (error) {
        end(() => reject(error));
      }
    });
    read.on('error', (error) => end(() => reject(error)));
    read.on('end', () => end(resolve));
  });

export class Reading {
  private readonly client: EventStoreDBClient;
  readonly silenceMs: number;
  readonly clock: Clock;

  constructor(client: EventStoreDBClient, silenceMs: number, clock: Clock) {
    this.client = client;
    this.silenceMs = silenceMs;
    this.clock = clock;
  }

  /** At most `maxCount` events of a stream, from a revision on. @throws also if the stream does not exist */
  stream(
    stream: string,
    options: {
      readonly fromRevision: bigint | 'end';
      readonly direction: 'forwards' | 'backwards';
      readonly maxCount: number;
    },
    take: Take<RecordedEvent>,
  ): Promise<void> {
    const read = this.client.readStream(stream, { ...options, requiresLeader: true });
    return taking(read as StreamingRead<ResolvedEvent>, take, this);
  }

  /** All events, newest first. */
  backwards(take: Take<AllStreamRecordedEvent>, maxCount = Number.MAX_SAFE_INTEGER): Promise<void> {
    const options = { direction: 'backwards', fromPosition: 'end', maxCount, requiresLeader: true } as const;
    return taking(this.client.readAll(options), take, this);
  }

  /** All events from a position, included, to the end of the log. */
  from(
    fromPosition: ReadPosition,
    take: Take<AllStreamRecordedEvent>,
    maxCount = Number.MAX_SAFE_INTEGER,
  ): Promise<void> {
    return taking(this.client.readAll({ fromPosition, maxCount, requiresLeader: true }), take, this);
  }

  /** Events beyond a position, to the end of the log. May include more than wanted. */
  async wanted(after: ReadPosition, wanted: Wanted, take: Take<AllStreamRecordedEvent>): Promise<void> {
    const following = new Following(this.client, this.clock, after, wanted);
    try {
      for (;;) {
        for (const signal of await following.next(PIECE, { silenceMs: this.silenceMs })) {
          if (signal.kind === 'caught up') return;
          if (signal.kind === 'event' && !take(signal.event)) return;
        }
      }
    } finally {
      following.stop();
    }
  }
}

/** Where to begin to get the events beyond a position: after `first`, if there is one. */
export interface LogPlace {
  readonly after: ReadPosition;
  readonly first?: AllStreamRecordedEvent;
}

const at = (position: number): Position => ({ commit: BigInt(position), prepare: BigInt(position) });

export const placeOf = (position: number): LogPlace => ({ after: position === 0 ? 'start' : at(position) });

/**
 * For a position that the server refuses because no event is there. Readers that have seen everything *below* an event
 * keep its position - 1; for any other such position this searches from the start.
 */
export const mendedPlaceOf = async (reading: Reading, position: number): Promise<LogPlace> => {
  let first: AllStreamRecordedEvent | undefined;
  const take = (event: AllStreamRecordedEvent): boolean => {
    first = event;
    return false;
  };
  try {
    await reading.from(at(position + 1), take, 1);
  } catch (error) {
    if (!isMisplaced(error)) throw error;
  }
  return first === undefined ? { after: 'start' } : { after: first.position, first };
};

const HEADS_AT_ONCE = 8;

interface Found<E> {
  readonly found: readonly E[];
  /** Whether there are no more. */
  readonly ended: boolean;
}

export const toChecked = (recorded: AnyRecorded): ParleyEvent => decodeEvent(toRecorded(recorded));

export class Reader {
  readonly reading: Reading;
  private readonly clock: Clock;
  /** Highest position seen. The head is not below it. */
  private known = 0;

  constructor(client: EventStoreDBClient, silenceMs: number, clock: Clock) {
    this.clock = clock;
    this.reading = new Reading(client, silenceMs, clock);
  }

  async head(): Promise<number> {
    let found = 0;
    const take = (event: AllStreamRecordedEvent): boolean => {
      const position = positionOf(event);
      if (isOurs(event)) found = position;
      return found === 0 && position > this.known;
    };
    await asking(this.clock, () => this.reading.backwards(take, 1));
    // The last event may be the server's own.
    if (found === 0) await asking(this.clock, () => this.reading.backwards(take));
    this.known = Math.max(this.known, found);
    return this.known;
  }

  async streamHead(stream: string): Promise<StreamHead> {
    const { found } = await this.recorded(stream, { fromRevision: 'end', direction: 'backwards', maxCount: 1 });
    const [last] = found;
    return last === undefined
      ? { stream, sequence: 0, position: 0 }
      : { stream, sequence: sequenceOf(last), position: positionOf(last) };
  }

  /** The server answers for one stream at a time. */
  streamHeads(streams: readonly string[]): Promise<readonly StreamHead[]> {
    return inParallel(streams, HEADS_AT_ONCE, (stream) => this.streamHead(stream));
  }

  async readStream({ stream, from, direction = 'forwards', limit }: ReadStream): Promise<readonly ParleyEvent[]> {
    checkLimit(limit);
    if (direction === 'backwards' && from !== undefined && from < 1) return [];
    const first = direction === 'backwards' && from === undefined ? 'end' : BigInt(Math.max(from ?? 1, 1) - 1);
    const step = direction === 'backwards' ? -1 : 1;
    return filled<ParleyEvent>(async (last, maxCount) => {
      const next = last === undefined ? undefined : last.sequence + step;
      if (next === 0) return { events: [], ended: true };
      const fromRevision = next === undefined ? first : BigInt(next - 1);
      const { found, ended } = await this.recorded(stream, { fromRevision, direction, maxCount });
      return { events: found.map(toChecked), ended };
    }, limit);
  }

  readAll(query: ReadAll): Promise<Page> {
    return this.scan(query, toChecked);
  }

  rawAll(query: ReadAll): Promise<StoredPage> {
    return this.scan(query, toStored);
  }

  /** A stream's events in the server's form, as many as a page has. */
  recorded(stream: string, options: Parameters<Reading['stream']>[1]): Promise<Found<RecordedEvent>> {
    return asking(this.clock, async () => {
      const found: RecordedEvent[] = [];
      const size = new PageSize(options.maxCount);
      const take = (event: RecordedEvent): boolean => {
        found.push(event);
        size.add(event);
        return !size.isFull;
      };
      try {
        await this.reading.stream(stream, options, take);
      } catch (error) {
        if (typeOf(error) !== ErrorType.STREAM_NOT_FOUND) throw error;
      }
      return { found, ended: !size.isFull };
    });
  }

  private async scan<E extends ParleyEvent | StoredEvent>(
    query: ReadAll,
    form: (event: AnyRecorded) => E,
  ): Promise<{ events: readonly E[]; through: number }> {
    const { after, types, limit } = query;
    // Read the head first: a later commit may be found, but never counts as searched by mistake.
    const head = await this.head();
    if (after >= head || types?.length === 0) return { events: [], through: Math.max(after, head) };
    const events = await filled<E>(async (last, most) => {
      const { found, ended } = await this.between({ ...query, after: last?.position ?? after, limit: most }, head);
      return { events: found.map(form), ended };
    }, limit);
    return { events, through: isFull(events, limit) ? events.at(-1)!.position : head };
  }

  /** The events of a query up to the head, in the server's form, as many as a page has. */
  private async between(query: ReadAll, head: number): Promise<Found<AllStreamRecordedEvent>> {
    const { after, types, prefix = '', limit } = query;
    if (after >= head) return { found: [], ended: true };
    const isWanted = ({ type, streamId }: AnyRecorded): boolean =>
      streamId.startsWith(prefix) && (types === undefined || (types as readonly string[]).includes(type));
    const filtered = types !== undefined || prefix !== '';
    const found: AllStreamRecordedEvent[] = [];
    let size = new PageSize(limit);
    let last = after;
    const take = (event: AllStreamRecordedEvent): boolean => {
      const position = positionOf(event);
      if (position > head) return false;
      // A read begins with the event at its place, already seen.
      if (position > last && isOurs(event) && isWanted(event)) {
        found.push(event);
        size.add(event);
      }
      last = Math.max(last, position);
      return position < head && !size.isFull;
    };
    const look = async ({ after: place, first }: LogPlace): Promise<void> => {
      found.length = 0;
      size = new PageSize(limit);
      last = after;
      if (first !== undefined && !take(first)) return;
      await (filtered ? this.reading.wanted(place, { types, prefix }, take) : this.reading.from(place, take));
    };
    await asking(this.clock, async () => {
      try {
        await look(placeOf(after));
      } catch (error) {
        if (!isMisplaced(error) || after === 0) throw error;
        await look(await mendedPlaceOf(this.reading, after));
      }
    });
    return { found, ended: !size.isFull };
  }
}
