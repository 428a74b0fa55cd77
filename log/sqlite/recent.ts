/** The newest committed events in memory, so that tails near the head read no disk. */
import type { ParleyEvent } from '../../schemas/events/index.ts';

export class RecentEvents {
  readonly #slots: ParleyEvent[] = [];
  readonly #capacity: number;
  /** Position before the oldest event held. */
  #before: number;
  #head: number;

  /** @param head position of the last event before those that will be pushed */
  constructor(head: number, capacity: number) {
    this.#before = head;
    this.#head = head;
    this.#capacity = capacity;
  }

  /** Position of the newest event of the log. */
  get head(): number {
    return this.#head;
  }

  /** Positions must follow one another without a hole. */
  push(events: readonly ParleyEvent[]): void {
    for (const event of events) this.#slots[event.position % this.#capacity] = event;
    this.#head += events.length;
    this.#before = Math.max(this.#before, this.#head - this.#capacity);
  }

  /** Up to `limit` events beyond `position`; `undefined` when some of them are on disk only. */
  after(position: number, limit: number): readonly ParleyEvent[] | undefined {
    if (position < this.#before) return undefined;
    const events: ParleyEvent[] = [];
    const last = Math.min(this.#head, position + limit);
    for (let p = position + 1; p <= last; p += 1) events.push(this.#slots[p % this.#capacity]!);
    return events;
  }
}
