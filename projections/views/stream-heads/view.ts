/** The name and the head of every stream, for whoever lists streams. */

import type { StreamHead } from '../../../log/port.ts';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';

export interface StreamHeadReader {
  /** Streams in name order, after `after`, as far as the view has got; `limit` is at least 1. */
  page(query: {
    readonly prefix: string;
    readonly after: string;
    readonly limit: number;
  }): Promise<readonly StreamHead[]>;
  /** False where streams may be missing: the view was added to tables that were already in use. */
  isComplete(): Promise<boolean>;
}

/** What events make of one stream. */
export interface HeadChange extends StreamHead {
  /** Position of the first of the events; kept from the row, where there is one. */
  readonly beganAt: number;
}

/** @param former changes by events before these */
export const headAfter = (former: HeadChange | undefined, { stream, sequence, position }: ParleyEvent): HeadChange => ({
  stream,
  sequence,
  position,
  beganAt: former?.beganAt ?? position,
});

/** One change per stream, however many events it has. */
export const headChanges = (events: readonly ParleyEvent[]): Iterable<HeadChange> => {
  const changes = new Map<string, HeadChange>();
  for (const event of events) changes.set(event.stream, headAfter(changes.get(event.stream), event));
  return changes.values();
};
