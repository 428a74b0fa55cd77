/** From a page of the log to what each partition is given. */
import type { StoredPage } from '../../log/port.ts';
import { partitionOf } from '../partitions.ts';
import { encodeEvent, encodeTick } from './records.ts';

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
