import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TestClock } from '../../schemas/clock.testing.ts';
import { EmptyAhead } from './empty-ranges.ts';
import { ProgressTracker } from './progress/port.ts';

it('a partition passes over the empty ranges that begin where it is, in whatever order they were said', () => {
  const ahead = new EmptyAhead();
  ahead.add(30, 40);
  ahead.add(20, 30);
  ahead.add(50, 60);
  expect(ahead.reachedFrom(10)).toBe(10);
  expect(ahead.reachedFrom(20)).toBe(40);
  expect(ahead.reachedFrom(55)).toBe(60);
});

it('a view holds a position once each partition has its events or is said to have none', () => {
  const tracker = new ProgressTracker({ partitions: 3, stored: async () => [0, 0, 0], clock: new TestClock() });
  tracker.passed({ from: 5, through: 9, partitions: [2] });
  tracker.moved(0, 5);
  tracker.passed({ from: 0, through: 5, partitions: [1, 7] });
  expect(tracker.checkpoint()).toBe(0);
  tracker.moved(2, 5);
  expect(tracker.checkpoint()).toBe(5);
  tracker.passed({ from: 5, through: 9, partitions: [0, 1] });
  expect(tracker.checkpoint()).toBe(9);
});

const PARTITIONS = 3;
/** The partition of each event of a log; the pages in which it is told, and the order in which what is said arrives. */
const story = fc.record({
  events: fc.array(fc.nat({ max: PARTITIONS - 1 }), { minLength: 1, maxLength: 30 }),
  pages: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 30 }),
  order: fc.infiniteStream(fc.nat()),
  lost: fc.infiniteStream(fc.boolean()),
});

it('a view never counts as holding an event whose partition was not said to hold it, and holds all where nothing is lost', () => {
  fc.assert(
    fc.property(story, fc.boolean(), ({ events, pages, order, lost }, isLossy) => {
      const tracker = new ProgressTracker({ partitions: PARTITIONS, stored: async () => [], clock: new TestClock() });
      const stored = new Array<number>(PARTITIONS).fill(0);
      const said: (() => void)[][] = Array.from({ length: PARTITIONS }, () => []);
      for (let from = 0, page = 0; from < events.length; page += 1) {
        const through = Math.min(events.length, from + pages[page % pages.length]!);
        const held = new Set(events.slice(from, through));
        const partitions = [...stored.keys()].filter((partition) => !held.has(partition));
        const range = { from, through, partitions };
        for (const partition of held)
          said[partition]!.push(() => {
            stored[partition] = through;
            tracker.moved(partition, through);
            if (!isLossy || !lost.next().value) tracker.passed(range);
          });
        from = through;
      }
      for (let left = said.flat().length; left > 0; left -= 1) {
        const waiting = said.filter((some) => some.length > 0);
        waiting[order.next().value % waiting.length]!.shift()!();
        // Of an event, its partition must have been stored that far.
        for (const [index, partition] of events.slice(0, tracker.checkpoint()).entries())
          expect(stored[partition]).toBeGreaterThan(index);
      }
      if (!isLossy) expect(tracker.checkpoint()).toBe(events.length);
    }),
  );
});
