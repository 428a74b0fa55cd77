/** The records of the distribution log: events as JSON, and ticks between them. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { StoredEvent, StoredPage } from '../../log/port.ts';
import type { Recorded } from '../../schemas/envelope.ts';
import { decodeEvent, type ParleyEvent } from '../../schemas/events/catalogue.ts';
import { EmptyRange } from '../engine/empty-ranges.ts';
import { partitionOf } from '../engine/partitions.ts';

/**
 * Says that the partition now holds all its events with `from < position <= through`, and how many there are; and which
 * other partitions have no tick of their own because they hold nothing in a range.
 */
export const Tick = t.intersection(
  [t.type({ from: t.number, through: t.number, count: t.number, epoch: t.string }), t.partial({ empty: EmptyRange })],
  'Tick',
);
export interface Tick {
  readonly from: number;
  readonly through: number;
  readonly count: number;
  readonly epoch: string;
  readonly empty?: EmptyRange;
}

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

/** How far the ticks of each partition go. */
export type Ticked = readonly number[];

export const tickedThrough = (position: number, partitions: number): Ticked =>
  new Array<number>(partitions).fill(position);

export interface PageRecords {
  readonly records: readonly PartitionRecord[];
  /** With the ticks of this page. */
  readonly ticked: Ticked;
}

/**
 * The page's events in order, then ticks: one in each partition that holds an event of the page, or in all. A tick begins
 * where the one before it in its partition ended. It follows its events in its own partition, and of others says only
 * that they hold nothing of the page, so all records can be sent together.
 * @param from the `through` of the previous page
 * @param toAll whether each partition gets a tick
 */
export const recordsOf = (
  { events, through }: StoredPage,
  { from, ticked, toAll }: { readonly from: number; readonly ticked: Ticked; readonly toAll: boolean },
  epoch: string,
): PageRecords => {
  const records: PartitionRecord[] = [];
  const counts = new Array<number>(ticked.length).fill(0);
  for (const event of events) {
    const partition = partitionOf(event.stream, ticked.length);
    counts[partition]! += 1;
    records.push({ partition, key: event.stream, value: encodeEvent(event) });
  }
  const untold = toAll ? [] : [...counts.keys()].filter((partition) => counts[partition] === 0);
  const empty = untold.length === 0 ? {} : { empty: { from, through, partitions: untold } };
  const told = [...ticked];
  for (const [partition, count] of counts.entries()) {
    if (count === 0 && !toAll) continue;
    const tick = { from: ticked[partition]!, through, count, epoch, ...empty };
    records.push({ partition, key: null, value: encodeTick(tick) });
    told[partition] = through;
  }
  return { records, ticked: told };
};
