/**
 * Puts one partition of the distribution log together again. Records may be lost, repeated or doubled (a relay that starts
 * again, two relays at once, an expired topic): what a tick does not vouch for is read from the log.
 */
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { Tick } from './records.ts';

/** What comes next of the partition: beyond `from`, where the range before ended. */
export interface Range {
  readonly from: number;
  readonly through: number;
  /** In position order. Undefined: nobody vouches for them, the range must be read from the log. */
  readonly events: readonly ParleyEvent[] | undefined;
}

export class Reassembly {
  private readonly epoch: string;
  private reached: number;
  private readonly waiting = new Map<number, ParleyEvent>();

  /**
   * @param position through which the partition's events are already held.
   * @param epoch of the log; ticks of another log's incarnation vouch for nothing.
   */
  constructor(position: number, epoch: string) {
    this.reached = position;
    this.epoch = epoch;
  }

  /** The end of the last range. */
  get position(): number {
    return this.reached;
  }

  event(event: ParleyEvent): void {
    if (event.position > this.reached) this.waiting.set(event.position, event);
  }

  /** @returns undefined when the tick says nothing new. */
  tick({ from, through, count, epoch }: Tick): Range | undefined {
    if (through <= this.reached) return undefined;
    const start = this.reached;
    const events = this.moveTo(through);
    const vouched = from === start && events.length === count && epoch === this.epoch;
    return { from: start, through, events: vouched ? events : undefined };
  }

  /** Goes on from `position`, forwards or back. @returns the events up to there that waited for their tick. */
  moveTo(position: number): readonly ParleyEvent[] {
    this.reached = position;
    const events: ParleyEvent[] = [];
    for (const event of this.waiting.values()) if (event.position <= position) events.push(event);
    for (const event of events) this.waiting.delete(event.position);
    return events.sort((a, b) => a.position - b.position);
  }
}

/** Neighbours of one kind become one range, of at most `most` events where it joined any. */
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
      result[result.length - 1] = { ...last, through: range.through };
    } else {
      events = [...(range.events ?? [])];
      result.push(range.events === undefined ? range : { ...range, events });
    }
  }
  return result;
};
