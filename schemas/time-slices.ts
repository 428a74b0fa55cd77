/** Long work that shares the event loop: it runs in slices of time, and everything else runs in between. */

import type { Clock } from './clock.ts';

/**
 * How long synchronous work may hold the event loop before sockets and timers get their turn, in milliseconds. All work
 * with the same `TimeSlices` together holds it no longer, plus one step.
 */
export const SLICE_MS = 5;

/** Shared by all work of one kind, which takes turns step by step. */
export class TimeSlices {
  private readonly clock: Pick<Clock, 'monotonic'>;
  private readonly waiting: (() => void)[] = [];
  /** When the first step of this turn of the event loop began. */
  private began: number | undefined;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.clock = clock;
  }

  /** Takes a synchronous step, at once or, when the slice of this turn of the event loop is used up, in a later turn. */
  async step<T>(work: () => T): Promise<T> {
    if (this.waiting.length > 0 || this.usedUp()) await new Promise<void>((resolve) => this.waiting.push(resolve));
    return work();
  }

  /** Takes a step for each piece of a list. @param most items of a piece */
  async pieces<A, B>(items: readonly A[], most: number, work: (piece: readonly A[]) => Iterable<B>): Promise<B[]> {
    const all: B[] = [];
    for (let at = 0; at < items.length; at += most) {
      for (const each of await this.step(() => work(items.slice(at, at + most)))) all.push(each);
    }
    return all;
  }

  /** To be awaited before work that takes its time itself. */
  turn(): Promise<void> {
    return this.step(() => {});
  }

  private usedUp(): boolean {
    const now = this.clock.monotonic();
    if (this.began !== undefined) return now - this.began >= SLICE_MS;
    this.began = now;
    setImmediate(this.begin);
    return false;
  }

  private readonly begin = (): void => {
    this.began = undefined;
    this.serve();
  };

  /** Lets those that wait take their steps, one after another, until the slice is used up. */
  private readonly serve = (): void => {
    if (this.waiting.length === 0 || this.usedUp()) return;
    this.waiting.shift()!();
    // Ticks come after all promises, so the step has been taken by then.
    queueMicrotask(() => process.nextTick(this.serve));
  };
}
