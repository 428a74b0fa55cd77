/** For specs: a clock that stands still until it is moved. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from './clock.ts';

interface Timer {
  due: number;
  /** Of timers that are due at the same moment the one that was set first comes first. */
  readonly number: number;
  readonly work: () => void;
  readonly everyMs: number | undefined;
}

/** Turns of the event loop that code is given to take up what a timer woke, and to set the next one. */
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

  /** How many timers and delays are waited for. */
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

  /** Lets `ms` milliseconds pass: what is due by then is called in its order, with time to follow up in between. */
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

  /** The process is held still for `ms` milliseconds: time passes, and what was due meanwhile is called at its end. */
  async freeze(ms: number): Promise<void> {
    this.passed += ms;
    await this.advance(0);
  }

  /** The wall clock is set forwards or, with a negative number, back. */
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

/** The clock of one process among several, which can be held still as SIGSTOP does: what is due comes when it goes on. */
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

/** For suites that several adapters run: time that passes in as little real time as it can. */
export interface Passing {
  /** Lets time pass until it is so. */
  until(check: () => boolean | Promise<boolean>): Promise<void>;
}

/** By moving a clock that stands still, at most two minutes of it; only when all that needs no time has been done. */
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
