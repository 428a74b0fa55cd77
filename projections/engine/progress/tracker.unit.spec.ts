import { describe, expect, it } from 'vitest';
import { TestClock } from '../../../schemas/clock.testing.ts';
import { ProgressTracker } from './port.ts';

const clock = new TestClock();
const aTracker = (more: Partial<ConstructorParameters<typeof ProgressTracker>[0]> = {}) =>
  new ProgressTracker({ partitions: 2, stored: async () => [0, 0], clock, ...more });

describe('the progress of a view', () => {
  it('is that of its slowest partition, and never falls', () => {
    const tracker = aTracker();
    tracker.moved(0, 10);
    expect(tracker.checkpoint()).toBe(0);
    tracker.moved(1, 7);
    tracker.moved(0, 3);
    tracker.moved(5, 99);
    expect(tracker.checkpoint()).toBe(7);
  });

  it('releases waiting callers once every partition is there', async () => {
    const tracker = aTracker();
    const reached = tracker.whenProcessed(5, 10_000);
    tracker.moved(0, 5);
    tracker.moved(1, 6);
    expect(await reached).toBe(true);
  });

  it('gives up after the caller’s time limit', async () => {
    const waiting = aTracker().whenProcessed(5, 20);
    await clock.advance(20);
    expect(await waiting).toBe(false);
  });

  it('polls the store when no update arrives', async () => {
    const tracker = aTracker({ stored: async () => [8, 9] });
    const waiting = tracker.whenProcessed(8, 10_000);
    await clock.advance(600);
    expect(await waiting).toBe(true);
  });

  it('holds a position if nothing before it concerns the view', async () => {
    const asked: number[][] = [];
    const tracker = aTracker({
      nothingBetween: async (checkpoint, position) => {
        asked.push([checkpoint, position]);
        return true;
      },
    });
    const waiting = tracker.whenProcessed(8, 10_000);
    await clock.advance(600);
    expect(await waiting).toBe(true);
    expect(asked).toEqual([[0, 8]]);
  });
});
