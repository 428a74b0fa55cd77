/** What this log has acknowledged, so that no read of it answers with less. */

import type { Appended } from '../port.ts';

/** Streams whose last acknowledgement is remembered. */
const REMEMBERED = 10_000;

export class Acknowledged {
  /** Position of the last acknowledged event of each stream, the latest last. */
  private readonly recent = new Map<string, number>();
  /** Highest position of the streams that are no longer remembered. */
  private others = 0;

  add(events: Appended): void {
    const last = events.at(-1)!;
    this.recent.delete(last.stream);
    this.recent.set(last.stream, last.position);
    if (this.recent.size <= REMEMBERED) return;
    const [[stream, position]] = this.recent as unknown as [[string, number]];
    this.recent.delete(stream);
    this.others = Math.max(this.others, position);
  }

  /** A server that holds the log up to this position has all that was acknowledged of the stream. */
  of(stream: string): number {
    return this.recent.get(stream) ?? this.others;
  }
}
