import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestClock } from './clock.testing.ts';
import { systemClock, within } from './clock.ts';

describe('the system clock', () => {
  it('gives both times, and never goes back', () => {
    expect(Math.abs(systemClock.wallTime() - Date.now())).toBeLessThan(1000);
    const before = systemClock.monotonic();
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before);
  });

  it('waits, and stops waiting when the signal aborts', async () => {
    const before = systemClock.monotonic();
    await systemClock.delay(5);
    expect(systemClock.monotonic() - before).toBeGreaterThan(3);
    const stopping = new AbortController();
    const waiting = systemClock.delay(60_000, stopping.signal);
    stopping.abort();
    await waiting;
    await systemClock.delay(60_000, stopping.signal);
  });

  it('calls once or repeatedly, until cancelled', async () => {
    let [once, often, never] = [0, 0, 0];
    systemClock.setTimer(60_000, () => {
      never += 1;
    })();
    await new Promise<void>((resolve) => {
      systemClock.setTimer(1, () => {
        once += 1;
      });
      const end = systemClock.every(1, () => {
        often += 1;
        if (often === 3) {
          end();
          resolve();
        }
      });
    });
    expect([once, often, never]).toEqual([1, 3, 0]);
  });
});

describe('a test clock', () => {
  it('fires timers in the order they are due, however they were set', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 12 }), async (due) => {
        const clock = new TestClock();
        const called: number[] = [];
        for (const ms of due) clock.setTimer(ms, () => called.push(clock.monotonic()));
        await clock.advance(25);
        expect(called).toEqual(due.filter((ms) => ms <= 25).sort((a, b) => a - b));
        await clock.advance(25);
        expect(called).toEqual([...due].sort((a, b) => a - b));
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it('wakes waiters one after another', async () => {
    const clock = new TestClock();
    const woken: number[] = [];
    const waiting = (async () => {
      for (let n = 0; n < 3; n += 1) {
        await clock.delay(100);
        woken.push(clock.monotonic());
      }
    })();
    await clock.advance(1000);
    await waiting;
    expect(woken).toEqual([100, 200, 300]);
  });

  it('does not count a jump of the wall clock as elapsed time', async () => {
    const clock = new TestClock(1000);
    await clock.advance(10);
    clock.jump(-500);
    expect([clock.wallTime(), clock.monotonic()]).toEqual([510, 10]);
  });

  it('fires every timer late after a freeze', async () => {
    const clock = new TestClock();
    const called: number[] = [];
    clock.setTimer(10, () => called.push(clock.monotonic()));
    await clock.freeze(1000);
    expect(called).toEqual([1000]);
  });

  it('drops cancelled timers', async () => {
    const clock = new TestClock();
    const called: number[] = [];
    clock.every(10, () => called.push(clock.monotonic()))();
    await clock.advance(100);
    expect([called, clock.pending]).toEqual([[], 0]);
  });
});

describe('within', () => {
  it('passes on the result of work done in time, and its failure', async () => {
    expect(await within(systemClock, 60_000, Promise.resolve(7))).toBe(7);
    await expect(within(systemClock, 60_000, Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('gives up on work that takes longer, and leaves no timer behind', async () => {
    const clock = new TestClock();
    const late = within(clock, 100, new Promise<number>(() => {}));
    await clock.advance(100);
    expect(await late).toBeUndefined();
    await within(clock, 100, Promise.resolve(1));
    expect(clock.pending).toBe(0);
  });
});
