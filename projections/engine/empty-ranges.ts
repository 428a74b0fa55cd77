/** Ranges of the log in which partitions hold no event: said in one partition about others, which are told nothing themselves. */

import * as t from 'io-ts';

/** These partitions hold no event with `from < position <= through`. */
export const EmptyRange = t.type({ from: t.number, through: t.number, partitions: t.array(t.number) });
export interface EmptyRange {
  readonly from: number;
  readonly through: number;
  readonly partitions: readonly number[];
}

/** Of one partition. Any may be forgotten: the partition's own tick comes soon. */
const MOST_KEPT = 64;

/** Empty ranges of one partition that begin beyond where it is: what is said elsewhere may come before its own events. */
export class EmptyAhead {
  private ranges: { readonly from: number; readonly through: number }[] = [];

  add(from: number, through: number): void {
    if (this.ranges.length === MOST_KEPT) this.ranges.shift();
    this.ranges.push({ from, through });
  }

  /** @returns how far a partition gets that holds everything through `position` */
  reachedFrom(position: number): number {
    let reached = position;
    while (this.ranges.length > 0) {
      const beyond = this.ranges.filter(({ from }) => from > reached);
      if (beyond.length === this.ranges.length) break;
      for (const { from, through } of this.ranges) if (from <= reached) reached = Math.max(reached, through);
      this.ranges = beyond;
    }
    return reached;
  }
}
