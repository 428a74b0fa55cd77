/**
 * Reassembles one partition of the distribution log. Records may be lost, repeated or duplicated: a relay restarts, two
 * relays run at once, a topic expires. A range that no tick vouches for is read from the log.
 */
import { bytesOfEvent } from '../../log/port.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import type { EmptyRange } from '../engine/empty-ranges.ts';
import type { Tick } from './records.ts';

/** The next range of the partition, starting where the range before ended. */
export interface Range {
  readonly from: number;
  readonly through: number;
  /** In position order. Undefined if no tick vouches for them: the range must be read from the log. */
  readonly events: readonly ParleyEvent[] | undefined;
  /** What its ticks say of other partitions. */
  readonly empty?: readonly EmptyRange[];
}

/** Of a merged range; of more, the last. What is forgotten the partitions' own ticks say. */
const MOST_EMPTY = 64;

export class Reassembly {
  private readonly epoch: string;
  private reached: number;
  private readonly waiting = new Map<number, ParleyEvent>();
  /** Of the events in `waiting`, approximately. */
  private bytes = 0;

  /**
   * @param position through which the partition's events are already held
   * @param epoch of the log; ticks of another epoch vouch for nothing
   */
  constructor(position: number, epoch: string) {
    this.reached = position;
    this.epoch = epoch;
  }

  /** The end of the last range. */
  get position(): number {
    return this.reached;
  }

  /** Where ticks are lost, too many events would wait: all are forgotten, so the next tick finds some missing. */
  event(event: ParleyEvent): void {
    if (event.position <= this.reached || this.waiting.has(event.position)) return;
    const { count, bytes } = BUDGETS.unvouched;
    if (this.waiting.size >= count || this.bytes >= bytes) {
      this.waiting.clear();
      this.bytes = 0;
    }
    this.waiting.set(event.position, event);
    this.bytes += bytesOfEvent(event);
  }

  /** Approximate bytes of the events that wait for a tick. */
  get waitingBytes(): number {
    return this.bytes;
  }

  /** @returns undefined if the tick says nothing new */
  tick({ from, through, count, epoch, empty }: Tick): Range | undefined {
    if (through <= this.reached) return undefined;
    const start = this.reached;
    const events = this.moveTo(through);
    const vouched = from === start && events.length === count && epoch === this.epoch;
    if (!vouched) return { from: start, through, events: undefined };
    return empty === undefined ? { from: start, through, events } : { from: start, through, events, empty: [empty] };
  }

  /**
   * Continues from `position`, forwards or back.
   * @returns the buffered events up to there, which were waiting for a tick
   */
  moveTo(position: number): readonly ParleyEvent[] {
    this.reached = position;
    const events: ParleyEvent[] = [];
    for (const event of this.waiting.values()) if (event.position <= position) events.push(event);
    for (const event of events) {
      this.waiting.delete(event.position);
      this.bytes -= bytesOfEvent(event);
    }
    return events.sort((a, b) => a.position - b.position);
  }
}

/** Merges adjacent ranges of one kind. A merged range has at most `most` events. */
export const joined = (ranges: readonly Range[], most: number): readonly Range[] => {
  const result: Range[] = [];
  let events: ParleyEvent[] = [];
  for (const range of ranges) {
    const last = result.at(-1);
    const fits =
      last !== undefined &&
      (range.events === undefined
        ? last.events === undefined
        : last.events !== undefined && events.length + range.events.length <= most);
    if (fits) {
      if (range.events !== undefined) events.push(...range.events);
      const empty = [...(last.empty ?? []), ...(range.empty ?? [])].slice(-MOST_EMPTY);
      result[result.length - 1] = { ...last, through: range.through, ...(empty.length > 0 && { empty }) };
    } else {
      events = [...(range.events ?? [])];
      result.push(range.events === undefined ? range : { ...range, events });
    }
  }
  return result;
};
