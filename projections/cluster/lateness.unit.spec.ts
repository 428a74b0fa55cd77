import { describe, expect, it } from 'vitest';
import { TestClock } from '../../schemas/clock.testing.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { ProgressTracker } from '../engine/progress/port.ts';
import { heldOrLate, Lateness } from './lateness.ts';
import { Delivered, guildProgress, sharedGuildProgress } from './node-views.ts';

const { lateMs, lookMs } = BUDGETS.lateViews;
const TIMEOUT_MS = 5000;

const aView = (gone?: () => boolean) => {
  const clock = new TestClock();
  const stored = async () => {
    throw new StoreUnavailable('timelines', 1);
  };
  const view = new ProgressTracker({ partitions: 1, stored, clock });
  const lateness = new Lateness({ view, clock, ...(gone === undefined ? {} : { gone }) });
  /** What `waiting` resolves to, and after how many milliseconds. */
  const outcome = async (waiting: Promise<boolean>) => {
    const began = clock.monotonic();
    let held: boolean | undefined;
    void waiting.then((answer) => {
      held = answer;
    });
    await clock.advance(0);
    while (held === undefined) await clock.advance(50);
    return { held, ms: clock.monotonic() - began };
  };
  return { clock, view, lateness, outcome };
};

describe('a view that is late', () => {
  it('is waited for only once, until it has caught up', async () => {
    const { view, lateness, outcome } = aView();
    const progress = heldOrLate(view, lateness);
    expect(await outcome(progress.whenProcessed(5, TIMEOUT_MS))).toEqual({ held: true, ms: lateMs });
    expect(lateness.late).toBe(true);
    expect(await outcome(progress.whenProcessed(4, TIMEOUT_MS))).toEqual({ held: true, ms: 0 });
    view.moved(0, 5);
    expect(lateness.late).toBe(false);
    expect(await outcome(progress.whenProcessed(5, TIMEOUT_MS))).toEqual({ held: true, ms: 0 });
  });

  it('is not called late by whoever waits for a short time', async () => {
    const { view, lateness, outcome } = aView();
    const waiting = heldOrLate(view, lateness).whenProcessed(5, lateMs / 2);
    expect(await outcome(waiting)).toEqual({ held: false, ms: lateMs / 2 });
    expect(lateness.late).toBe(false);
  });

  it('is not waited for while its store is gone, and no longer when the store goes meanwhile', async () => {
    let gone = true;
    const { view, lateness, outcome } = aView(() => gone);
    const progress = heldOrLate(view, lateness);
    expect(await outcome(progress.whenProcessed(5, TIMEOUT_MS))).toEqual({ held: true, ms: 0 });
    gone = false;
    const waiting = progress.whenProcessed(5, TIMEOUT_MS);
    gone = true;
    expect(await outcome(waiting)).toEqual({ held: true, ms: lookMs });
  });
});

describe('late guild views', () => {
  const parts = () => {
    const { clock, view, lateness, outcome } = aView();
    const delivered = new Delivered(clock);
    const recent = { complete: true };
    const all = { view, lateness, recent, delivered };
    return { clock, outcome, delivered, recent, progress: guildProgress(all), shared: sharedGuildProgress(all) };
  };

  it('hold what this process has received, and nobody waits for them', async () => {
    const { clock, outcome, delivered, progress } = parts();
    delivered.moveTo(5);
    expect(await outcome(progress.whenProcessed(5, TIMEOUT_MS))).toEqual({ held: true, ms: 0 });
    const waiting = progress.whenProcessed(6, TIMEOUT_MS);
    clock.setTimer(100, () => delivered.moveTo(6));
    expect(await outcome(waiting)).toEqual({ held: true, ms: 100 });
    expect(await outcome(progress.whenProcessed(7, TIMEOUT_MS))).toEqual({ held: false, ms: TIMEOUT_MS });
  });

  it('are shared with other nodes by their store, and as received here once they are late', async () => {
    const { outcome, delivered, shared } = parts();
    delivered.moveTo(5);
    expect(await outcome(shared.whenProcessed(5, TIMEOUT_MS))).toEqual({ held: true, ms: lateMs });
    expect(await outcome(shared.whenProcessed(5, TIMEOUT_MS))).toEqual({ held: true, ms: 0 });
    expect(await outcome(shared.whenProcessed(6, TIMEOUT_MS))).toEqual({ held: false, ms: TIMEOUT_MS });
  });

  it('hold nothing while too much is missing for rights to be known', async () => {
    const { outcome, delivered, recent, progress } = parts();
    delivered.moveTo(5);
    recent.complete = false;
    expect(await outcome(progress.whenProcessed(5, TIMEOUT_MS))).toMatchObject({ held: false });
  });
});
