/** Keeps a stream from being written to faster than what was written is delivered. Only its own commands wait. */

import type { Views } from '../projections/port.ts';
import type { Clock } from '../schemas/clock.ts';

/** How long delivery may lag before a stream's commands wait for it: longer than a dead projector delays it. */
export const LAG_MS = 500;
/** How long a turn waits for delivery at most: writing goes on, slowly, even if nothing is delivered. */
export const LONGEST_WAIT_MS = 1000;
/** Streams remembered before those that have been delivered are forgotten. */
const REMEMBERED = 1000;

interface Undelivered {
  readonly position: number;
  /** When it was stored, in monotonic milliseconds. */
  readonly at: number;
}

/** How far this process has delivered the log to its sockets. */
export type Delivered = Pick<Views, 'checkpoint' | 'whenProcessed'>;

export class Pace {
  private readonly delivered: Delivered;
  private readonly clock: Clock;
  /** The first append of each stream that had not been delivered when its last turn began. */
  private readonly undelivered = new Map<string, Undelivered>();
  private forgetAt = REMEMBERED;

  constructor(delivered: Delivered, clock: Clock) {
    this.delivered = delivered;
    this.clock = clock;
  }

  /** To be awaited before a turn. `undefined` while the stream need not wait. */
  turn(stream: string): Promise<void> | undefined {
    const first = this.undelivered.get(stream);
    if (first === undefined) return undefined;
    if (this.delivered.checkpoint() >= first.position) {
      this.undelivered.delete(stream);
      return undefined;
    }
    return this.clock.monotonic() - first.at < LAG_MS ? undefined : this.wait(stream, first.position);
  }

  private async wait(stream: string, position: number): Promise<void> {
    if (await this.delivered.whenProcessed(position, LONGEST_WAIT_MS)) this.undelivered.delete(stream);
  }

  /** The stream was written to, up to this position. */
  stored(stream: string, position: number): void {
    if (this.undelivered.has(stream)) return;
    this.undelivered.set(stream, { position, at: this.clock.monotonic() });
    if (this.undelivered.size >= this.forgetAt) this.forget();
  }

  private forget(): void {
    const delivered = this.delivered.checkpoint();
    for (const [stream, { position }] of this.undelivered) if (position <= delivered) this.undelivered.delete(stream);
    this.forgetAt = Math.max(REMEMBERED, 2 * this.undelivered.size);
  }
}
