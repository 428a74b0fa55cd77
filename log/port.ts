/** The event log: the only source of truth. Streams with dense sequences inside one order of positions. */
import type { Either } from 'fp-ts/lib/Either.js';
import type { Recorded } from '../schemas/envelope.ts';
import type { EventType, NewParleyEvent, ParleyEvent } from '../schemas/events/catalogue.ts';

export interface AppendRequest {
  readonly stream: string;
  /** Sequence of the stream's last event as the writer knows it; 0 for a stream that does not exist yet. */
  readonly expected: number;
  /** At least one, with sequences `expected + 1`, `expected + 2`, ...: appended whole or not at all. */
  readonly events: readonly NewParleyEvent[];
}

/**
 * What an appender is told when its events are durable: the same events, each with its position, or with that of its
 * batch's last where the store tells no more. So it is at or after the event, and what has reached it holds the event.
 */
export type Appended = readonly ParleyEvent[];

export type AppendError =
  /** Somebody else appended first; `actual` is the stream's last sequence. */
  | { readonly kind: 'conflict'; readonly actual: number }
  /** Nothing was stored and trying again later may work. */
  | { readonly kind: 'unavailable'; readonly reason: string }
  /** Nothing was stored: no space left. */
  | { readonly kind: 'full' };

export interface StreamHead {
  readonly stream: string;
  readonly sequence: number;
  readonly position: number;
}

export interface ReadStream {
  readonly stream: string;
  /** First sequence wanted, included. Default: the first event forwards, the last event backwards. */
  readonly from?: number;
  readonly direction?: 'forwards' | 'backwards';
  /** Most events in the answer, 1 to 10,000. */
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
  /** Fewer than the limit only when the end of the log was reached. */
  readonly events: readonly ParleyEvent[];
  /** Everything at or below this has been looked at: the `after` of the next page. */
  readonly through: number;
}

/** An event as it lies in the store: not checked, not upcast, its data still JSON text. */
export type StoredEvent = Recorded<string, string>;

export interface StoredPage {
  readonly events: readonly StoredEvent[];
  readonly through: number;
}

export interface Tail {
  /** No more calls after this resolves. */
  stop(): Promise<void>;
}

/** The log without `append`: what everybody but `commands` is given. */
export interface LogReader {
  /** One incarnation of the log; a restored log gets another. */
  readonly epoch: string;
  /** Position of the last event, 0 in an empty log. */
  head(): Promise<number>;
  streamHead(stream: string): Promise<StreamHead>;
  /** Streams in name order, beyond `after`. */
  streams(query: { prefix?: string; after?: string; limit: number }): Promise<readonly StreamHead[]>;
  readStream(query: ReadStream): Promise<readonly ParleyEvent[]>;
  readAll(query: ReadAll): Promise<Page>;
  /**
   * What `readAll` finds, without parsing and checking each event's data: twice as fast, for replay, which hands most of the
   * bytes on as they are.
   */
  rawAll(query: ReadAll): Promise<StoredPage>;
  /**
   * Calls `onEvents` with every event beyond `after`, in position order, in batches of at most 1,000, the next batch
   * when the promise of the one before resolves. A handler that throws stops the tail; `onFailure` is told.
   */
  tail(
    after: number,
    onEvents: (events: readonly ParleyEvent[]) => Promise<void>,
    onFailure: (error: unknown) => void,
  ): Tail;
}

export interface EventLog extends LogReader {
  /**
   * Stores a batch durably. Batches that wait at the same time share one transaction, up to `MOST_OF_A_COMMIT`. A conflict
   * fails only its own stream's batch, and so does what can never be stored.
   * Resolves when the events are fsynced, or to the reason why none of them was stored.
   */
  append(request: AppendRequest): Promise<Either<AppendError, Appended>>;
  /** Makes this log another incarnation, durably: sessions and views of the former `epoch` no longer fit it. */
  renewEpoch(): Promise<void>;
  close(): Promise<void>;
}

/** @throws RangeError when the events are not numbered from the expected revision on, or there are none. */
export const checkSequences = ({ stream, expected, events }: AppendRequest): void => {
  const dense = events.every((event, i) => event.stream === stream && event.sequence === expected + i + 1);
  if (events.length === 0 || !dense)
    throw new RangeError(`Events for ${stream} must be at least one, with sequences from ${expected + 1} on.`);
};

/** Of one transaction: more waits for the next. A batch that is larger by itself goes alone. */
export const MOST_OF_A_COMMIT = { count: 5_000, bytes: 16 * 1024 * 1024 };

/** An event's ids, names and numbers. */
const ENVELOPE_BYTES = 300;

const roughly = (value: unknown): number => {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 0;
  for (const name in value) bytes += name.length + roughly(value[name as keyof typeof value]);
  return bytes;
};

/** About how many bytes a batch takes, in any store. Ten times faster than to make its JSON. */
export const bytesOf = ({ events }: AppendRequest): number => {
  let bytes = 0;
  for (const { data } of events) bytes += ENVELOPE_BYTES + roughly(data);
  return bytes;
};
