/** The event log: the only source of truth. Streams have dense sequences within one order of positions. */
import type { Either } from 'fp-ts/lib/Either.js';
import type { Recorded } from '../schemas/envelope.ts';
import { type EventType, type NewParleyEvent, type ParleyEvent, UnreadableEvent } from '../schemas/events/catalogue.ts';
import { roughBytes } from '../schemas/sizes.ts';
import { BUDGETS } from '../stores/budgets.ts';

export interface AppendRequest {
  readonly stream: string;
  /** Sequence of the stream's last event as the writer knows it; 0 for a new stream. */
  readonly expected: number;
  /** At least one, with sequences `expected + 1`, `expected + 2`, ...: appended whole or not at all. */
  readonly events: readonly NewParleyEvent[];
}

/**
 * The answer to an append, once durable: the same events, each with its own position, or with that of its batch's last
 * event if the store returns only that. Either is at or after the event, so a reader that has reached it has the event.
 */
export type Appended = readonly ParleyEvent[];

/** Why events are not known to be stored. Only after `unknown` may they be stored all the same. */
export type AppendError =
  /** Another writer appended first; `actual` is the stream's last sequence. Nothing was stored. */
  | { readonly kind: 'conflict'; readonly actual: number }
  /** Nothing was stored: no space left. */
  | { readonly kind: 'full' }
  /** Nothing was stored: the store cannot be reached, or cannot write now. A repetition may succeed. */
  | { readonly kind: 'unavailable'; readonly reason: string }
  /** The events are stored, or will be, or never will: no answer came in time. The stream tells, read later. */
  | { readonly kind: 'unknown'; readonly reason: string }
  /** Nothing was stored, nor will be by a repetition: events too large or not writable, a deleted stream, no right. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface StreamHead {
  readonly stream: string;
  readonly sequence: number;
  readonly position: number;
}

export interface ReadStream {
  readonly stream: string;
  /** First sequence wanted, inclusive. Default: the first event when forwards, the last when backwards. */
  readonly from?: number;
  readonly direction?: 'forwards' | 'backwards';
  /** Most events in the answer, 1 to 10,000. Fewer where the stream ends, or where they have `readBytes`: `isFull` tells. */
  readonly limit: number;
}

export interface ReadAll {
  /** Events beyond this position. */
  readonly after: number;
  readonly types?: readonly EventType[];
  /** Only streams whose name begins with this. */
  readonly prefix?: string;
  readonly limit: number;
}

export interface Page {
  /** Fewer than the limit at the end of the log, or where they have `readBytes`: `isFull` tells. */
  readonly events: readonly ParleyEvent[];
  /** Everything at or below this has been searched: the `after` of the next page. */
  readonly through: number;
}

/** An event as stored: not checked, not upcast, its data still JSON text. */
export type StoredEvent = Recorded<string, string>;

export interface StoredPage {
  readonly events: readonly StoredEvent[];
  readonly through: number;
}

export interface Tail {
  /** Resolves when no more calls will follow. */
  stop(): Promise<void>;
}

/**
 * The log without `append`, for all code outside `commands`. However many reads are under way, they let sockets and timers
 * run in between, so callers may read in loops.
 */
export interface LogReader {
  /** Identifies one incarnation of the log; a restored log gets a new one. */
  readonly epoch: string;
  /** Position of the last event, 0 in an empty log. */
  head(): Promise<number>;
  streamHead(stream: string): Promise<StreamHead>;
  /** The heads of many streams in one question, in the order asked for. */
  streamHeads(streams: readonly string[]): Promise<readonly StreamHead[]>;
  /** Streams in name order, after `after`. */
  streams(query: { prefix?: string; after?: string; limit: number }): Promise<readonly StreamHead[]>;
  readStream(query: ReadStream): Promise<readonly ParleyEvent[]>;
  readAll(query: ReadAll): Promise<Page>;
  /**
   * Like `readAll`, without parsing and checking each event's data. Twice as fast, for replay, which passes most of the
   * bytes on unchanged.
   */
  rawAll(query: ReadAll): Promise<StoredPage>;
  /**
   * Calls `onEvents` with every event beyond `after`, in position order, in batches of at most 1,000, the next batch
   * when the promise of the previous one resolves. Waits while the store cannot be reached. Any other failure stops the
   * tail and is reported to `onFailure`: what the handler throws, or UnreadableEvent once all events before it are delivered.
   */
  tail(
    after: number,
    onEvents: (events: readonly ParleyEvent[]) => Promise<void>,
    onFailure: (error: unknown) => void,
  ): Tail;
  /** Like `tail`, with events as `rawAll` gives them. Only one that is not of Parley's form cannot be read. */
  rawTail(
    after: number,
    onEvents: (events: readonly StoredEvent[]) => Promise<void>,
    onFailure: (error: unknown) => void,
  ): Tail;
}

export interface EventLog extends LogReader {
  /** Most bytes of data, as JSON, in one append; a larger one is refused. Infinity where only memory sets a limit. */
  readonly maxAppendBytes: number;
  /**
   * Stores a batch durably. Batches that wait at the same time share a transaction, up to `BUDGETS.log.commit`. A
   * conflict fails only its own stream's batch, and so does a batch that can never be stored. Resolves once the events
   * are fsynced, or to the reason why they are not. Rejects only with the RangeError of `checkSequences`.
   */
  append(request: AppendRequest): Promise<Either<AppendError, Appended>>;
  /** Gives the log a new epoch, durably: sessions and views of the old one no longer fit it. */
  renewEpoch(): Promise<void>;
  close(): Promise<void>;
}

/** @throws RangeError when there are no events, or they are not numbered from the expected revision on. */
export const checkSequences = ({ stream, expected, events }: AppendRequest): void => {
  const dense = events.every((event, i) => event.stream === stream && event.sequence === expected + i + 1);
  if (events.length === 0 || !dense)
    throw new RangeError(`Events for ${stream} must be at least one, with sequences from ${expected + 1} on.`);
};

/** @throws RangeError */
export const checkLimit = (limit: number): void => {
  const most = BUDGETS.log.read;
  if (!(limit >= 1 && limit <= most)) throw new RangeError(`The limit of a read must be 1 to ${most}, not ${limit}.`);
};

/** Approximate bytes of an event's ids, names and numbers. */
const ENVELOPE_BYTES = 300;

/** Approximate bytes of an event, in any store. */
export const bytesOfEvent = ({ data }: { readonly data: unknown }): number => ENVELOPE_BYTES + roughBytes(data);

/** Counts what is in a page: one ends at its limit of events, or with the event that brings it to `BUDGETS.log.readBytes`. */
export class PageSize {
  private readonly limit: number;
  private count = 0;
  private bytes = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  add(event: { readonly data: unknown }): void {
    this.count += 1;
    this.bytes += bytesOfEvent(event);
  }

  /** How many events more the page may hold. */
  get left(): number {
    return this.limit - this.count;
  }

  get isFull(): boolean {
    return this.left <= 0 || this.bytes >= BUDGETS.log.readBytes;
  }
}

/** Whether more may follow a page. The stream or the log ended, when it was read, with a page that is not full. */
export const isFull = (events: readonly { readonly data: unknown }[], limit: number): boolean => {
  if (events.length >= limit) return true;
  const size = new PageSize(limit);
  for (const event of events) size.add(event);
  return size.isFull;
};

/**
 * A page from a store that gives it in several answers.
 * @param read reads the events after the one given, at most `limit`
 */
export const filled = async <E extends { readonly data: unknown }>(
  read: (last: E | undefined, limit: number) => Promise<{ readonly events: readonly E[]; readonly ended: boolean }>,
  limit: number,
): Promise<readonly E[]> => {
  const page: E[] = [];
  const size = new PageSize(limit);
  for (;;) {
    const { events, ended } = await read(page.at(-1), size.left);
    for (const event of events) {
      page.push(event);
      size.add(event);
      if (size.isFull) return page;
    }
    if (ended) return page;
  }
};

/** Approximate bytes of a batch, in any store. */
export const bytesOf = ({ events }: AppendRequest): number => {
  let bytes = 0;
  for (const event of events) bytes += bytesOfEvent(event);
  return bytes;
};

/**
 * One event that cannot be read does not keep those before it from being read: asks again for half as many, until what is
 * asked for ends before that event.
 * @param read reads events after some place, at most `limit`
 * @throws UnreadableEvent when that event is the next
 */
export const upToUnreadable = async <T>(read: (limit: number) => Promise<T>, limit: number): Promise<T> => {
  for (let most = limit; ; most >>>= 1) {
    try {
      return await read(most);
    } catch (failure) {
      if (!(failure instanceof UnreadableEvent) || most === 1) throw failure;
    }
  }
};

/**
 * As `upToUnreadable`, for those who go on beyond such an event: when it is the next, it makes a page of its own, without
 * events and through its position.
 */
export const pageOrUnreadable = async <P extends { readonly events: readonly unknown[]; readonly through: number }>(
  read: (limit: number) => Promise<P>,
  limit: number,
): Promise<
  P | { readonly events: readonly never[]; readonly through: number; readonly unreadable: UnreadableEvent }
> => {
  try {
    return await upToUnreadable(read, limit);
  } catch (failure) {
    if (!(failure instanceof UnreadableEvent)) throw failure;
    return { events: [], through: failure.event.position, unreadable: failure };
  }
};
