/** For specs: a clock that moves only when it is told to. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from './clock.ts';

interface Timer {
  due: number;
  /** Timers due at the same moment fire in the order they were set. */
  readonly number: number;
  readonly work: () => void;
  readonly everyMs: number | undefined;
}

/** Turns of the event loop that code gets to react to a timer and to set the next one. */
const TURNS = 3;

export class TestClock implements Clock {
  private readonly timers = new Set<Timer>();
  private passed = 0;
  private offset: number;
  private count = 0;

  /** @param wallTime milliseconds since 1970 */
  constructor(wallTime = 1_700_000_000_000) {
    this.offset = wallTime;
  }

  readonly wallTime = (): number => this.offset + this.passed;
  readonly monotonic = (): number => this.passed;

  /** Number of pending timers and delays. */
  get pending(): number {
    return this.timers.size;
  }

  setTimer(ms: number, work: () => void): () => void {
    return this.add(ms, work);
  }

  every(ms: number, work: () => void): () => void {
    return this.add(ms, work, ms);
  }

  delay(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.add(ms, done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  private add(ms: number, work: () => void, everyMs?: number): () => void {
    this.count += 1;
    const timer: Timer = { due: this.passed + Math.max(0, ms), number: this.count, work, everyMs };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  /** Lets `ms` milliseconds pass. Due timers fire in order, and the code they wake runs in between. */
  async advance(ms: number): Promise<void> {
    const end = this.passed + ms;
    await this.follow();
    for (let next = this.next(end); next !== undefined; next = this.next(end)) {
      this.passed = Math.max(this.passed, next.due);
      if (next.everyMs === undefined) this.timers.delete(next);
      else next.due += Math.max(1, next.everyMs);
      next.work();
      await this.follow();
    }
    this.passed = end;
  }

  /** Freezes the process for `ms` milliseconds: time passes, and timers due meanwhile fire at the end. */
  async freeze(ms: number): Promise<void> {
    this.passed += ms;
    await this.advance(0);
  }

  /** Sets the wall clock forward or, with a negative number, back. */
  jump(ms: number): void {
    this.offset += ms;
  }

  private next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.timers)
      if (
        timer.due <= end &&
        (next === undefined || timer.due < next.due || (timer.due === next.due && timer.number < next.number))
      )
        next = timer;
    return next;
  }

  private async follow(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn += 1) await nextTurn();
  }
}

/** The clock of one process among several. It can be held, as SIGSTOP does: due timers fire when it resumes. */
export class HeldClock implements Clock {
  readonly wallTime: () => number;
  readonly monotonic: () => number;
  private readonly clock: Clock;
  private late: (() => void)[] | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
    this.wallTime = () => clock.wallTime();
    this.monotonic = () => clock.monotonic();
  }

  hold(): void {
    this.late ??= [];
  }

  goOn(): void {
    const late = this.late ?? [];
    this.late = undefined;
    for (const work of late) work();
  }

  private call(work: () => void): void {
    if (this.late === undefined) work();
    else this.late.push(work);
  }

  setTimer(ms: number, work: () => void): () => void {
    return this.clock.setTimer(ms, () => this.call(work));
  }

  every(ms: number, work: () => void): () => void {
    return this.clock.every(ms, () => this.call(work));
  }

  async delay(ms: number, signal?: AbortSignal): Promise<void> {
    await this.clock.delay(ms, signal);
    await new Promise<void>((resolve) => this.call(resolve));
  }
}

/** For suites that several adapters run: lets time pass in as little real time as possible. */
export interface Passing {
  /** Lets time pass until `check` is true. */
  until(check: () => boolean | Promise<boolean>): Promise<void>;
}

/** Moves a `TestClock` by at most two minutes, each step only once all work that needs no time is done. */
export const passingOn = (clock: TestClock, stepMs = 100): Passing => ({
  async until(check) {
    for (let passed = 0; !(await check()); passed += stepMs) {
      if (passed > 120_000) throw new Error('it was never so');
      await clock.advance(0);
      if (await check()) return;
      await clock.advance(stepMs);
    }
  },
});
