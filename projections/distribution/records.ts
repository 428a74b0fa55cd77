/** The records of the distribution log: events as JSON, and ticks between them. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { StoredEvent, StoredPage } from '../../log/port.ts';
import type { Recorded } from '../../schemas/envelope.ts';
import { decodeEvent, type ParleyEvent } from '../../schemas/events/catalogue.ts';
import { partitionOf } from '../engine/partitions.ts';

/** Says that the partition now holds all its events with `from < position <= through`, and how many there are. */
export const Tick = t.type({ from: t.number, through: t.number, count: t.number, epoch: t.string }, 'Tick');
export type Tick = t.TypeOf<typeof Tick>;

/**
 * The data is copied from the log, neither parsed nor rewritten. The rest is copied field by field, because a spread
 * takes microseconds.
 */
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

/** @throws if it is not an event, or one this version of Parley cannot read */
export const parseEvent = (json: string): ParleyEvent => decodeEvent(JSON.parse(json) as Recorded);

const encodeTick = (tick: Tick): string => JSON.stringify(tick);

/** @throws if it is not a tick */
export const parseTick = (json: string): Tick => {
  const tick = Tick.decode(JSON.parse(json));
  if (either.isLeft(tick)) throw new TypeError('This is no tick');
  return tick.right;
};

/** Turns a page of the log into the records of each partition. */
export interface PartitionRecord {
  readonly partition: number;
  /** The stream; null for a tick. */
  readonly key: string | null;
  readonly value: string;
}

/**
 * The page's events in order, then one tick per partition. A tick follows its events in its own partition and vouches
 * for no others, so all records can be sent together.
 * @param from the `through` of the previous page
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
