/** How far the views are behind what is known of the log. */
import type { Lag } from './port.ts';

interface Mark {
  readonly position: number;
  readonly seen: number;
}

export class LagMeter {
  private readonly clock: () => number;
  private readonly marks: Mark[] = [];
  private checkpoint: number;

  /** @param clock milliseconds since 1970. */
  constructor(checkpoint: number, clock: () => number) {
    this.checkpoint = checkpoint;
    this.clock = clock;
  }

  /** The log was seen to reach `position`. */
  seen(position: number): void {
    if (position > (this.marks.at(-1)?.position ?? this.checkpoint)) this.marks.push({ position, seen: this.clock() });
  }

  applied(checkpoint: number): void {
    this.checkpoint = checkpoint;
    while (this.marks.length > 0 && this.marks[0]!.position <= checkpoint) this.marks.shift();
  }

  lag(): Lag {
    const [oldest] = this.marks;
    if (oldest === undefined) return { events: 0, seconds: 0 };
    return {
      events: this.marks.at(-1)!.position - this.checkpoint,
      seconds: Math.max(0, this.clock() - oldest.seen) / 1000,
    };
  }
}
