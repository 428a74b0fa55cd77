/** Events that have arrived and may not be handed over yet: in position order, each once. */
import type { ParleyEvent } from '../../schemas/events/index.ts';

export interface Arrived {
  readonly event: ParleyEvent;
  /** When it arrived as a pulse, in milliseconds of the reader's clock; `undefined` for what was read from the log. */
  readonly at: number | undefined;
}

export class Pending {
  private entries: Arrived[] = [];

  get size(): number {
    return this.entries.length;
  }

  /** Without effect when the event is there. Most come in order and are added at the end. */
  add(event: ParleyEvent, at?: number): void {
    const { position } = event;
    const last = this.entries.at(-1);
    if (last === undefined || last.event.position < position) {
      this.entries.push({ event, at });
      return;
    }
    const index = this.firstBeyond(position - 1);
    if (this.entries[index]!.event.position !== position) this.entries.splice(index, 0, { event, at });
  }

  /** How many stand at or below a position. */
  private firstBeyond(position: number): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.entries[middle]!.event.position <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first events at or below a position, at most `limit`; they stay. */
  upTo(position: number, limit: number): readonly Arrived[] {
    return this.entries.slice(0, Math.min(limit, this.firstBeyond(position)));
  }

  /** Removes the first `count`. */
  drop(count: number): void {
    if (count > 0) this.entries.splice(0, count);
  }
}
