/** What a partition of the distribution log holds: events as JSON, and ticks between them. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { StoredEvent, StoredPage } from '../../log/port.ts';
import type { Recorded } from '../../schemas/envelope.ts';
import { decodeEvent, type ParleyEvent } from '../../schemas/events/catalogue.ts';
import { partitionOf } from '../engine/partitions.ts';

/** Says that the partition now holds every event of its own with `from < position <= through`, and how many those are. */
export const Tick = t.type({ from: t.number, through: t.number, count: t.number, epoch: t.string }, 'Tick');
export type Tick = t.TypeOf<typeof Tick>;

/** With the data as it lies in the log, neither parsed nor written anew; the rest field by field, since a spread takes microseconds. */
const encodeEvent = (event: StoredEvent): string => {
  const envelope = JSON.stringify({
    id: event.id,
    type: event.type,
    schema: event.schema,
    stream: event.stream,
    sequence: event.sequence,
    position: event.position,
    time: event.time,
    actor: event.actor,
    key: event.key,
    correlationId: event.correlationId,
    causationId: event.causationId,
    traceparent: event.traceparent,
  });
  return `${envelope.slice(0, -1)},"data":${event.data}}`;
};

/** @throws when it is no event, or one that this version of Parley cannot read. */
export const parseEvent = (json: string): ParleyEvent => decodeEvent(JSON.parse(json) as Recorded);

const encodeTick = (tick: Tick): string => JSON.stringify(tick);

/** @throws when it is none. */
export const parseTick = (json: string): Tick => {
  const tick = Tick.decode(JSON.parse(json));
  if (either.isLeft(tick)) throw new TypeError('This is no tick');
  return tick.right;
};

/** From a page of the log to what each partition is given. */
export interface PartitionRecord {
  readonly partition: number;
  /** The stream; null for a tick. */
  readonly key: string | null;
  readonly value: string;
}

/**
 * The page's events in order, then a tick for every partition. A tick stands behind its events in its own partition, and that is
 * all it speaks of, so both can be sent as one.
 * @param from the `through` of the page before.
 */
export const recordsOf = (
  { events, through }: StoredPage,
  from: number,
  epoch: string,
  partitions: number,
): readonly PartitionRecord[] => {
  const records: PartitionRecord[] = [];
  const counts = new Array<number>(partitions).fill(0);
  for (const event of events) {
    const partition = partitionOf(event.stream, partitions);
    counts[partition]! += 1;
    records.push({ partition, key: event.stream, value: encodeEvent(event) });
  }
  for (const [partition, count] of counts.entries())
    records.push({ partition, key: null, value: encodeTick({ from, through, count, epoch }) });
  return records;
};
