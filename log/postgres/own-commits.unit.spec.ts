import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BUDGETS } from '../../stores/budgets.ts';
import type { StoredEvent } from '../port.ts';
import { newEvent } from '../testing.ts';
import { OwnCommits } from './own-commits.ts';

const eventAt = (position: number, data = '{}'): StoredEvent => ({
  ...newEvent('channel-1', position),
  position,
  data,
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** This node's commits, by how many events of others came before, and how many each has; and how far the tail gets. */
const commits = fc.array(
  fc.record({ others: fc.nat({ max: 2 }), own: fc.integer({ min: 1, max: 6 }), limit: fc.nat() }),
);

it('what is known of the events after a position is all of them up to some place, or nothing', () => {
  fc.assert(
    fc.property(commits, (steps) => {
      const known = new OwnCommits();
      known.open();
      let head = 0;
      let reached = 0;
      for (const { others, own, limit } of steps) {
        head += others;
        known.push(range(head + 1, head + own).map((position) => eventAt(position)));
        head += own;
        const page = known.after(reached, 1 + (limit % 10));
        if (page === undefined) continue;
        expect(page.map(({ position }) => position)).toEqual(range(reached + 1, reached + page.length));
        reached += page.length;
        expect(reached).toBeLessThanOrEqual(head);
      }
      if (steps.every(({ others }) => others === 0) && reached < head) expect(known.after(reached, 1)).toHaveLength(1);
    }),
  );
});

it('nothing is kept while nobody follows, nor more than the relay may be behind', () => {
  const known = new OwnCommits();
  known.push([eventAt(1)]);
  expect(known.after(0, 10)).toBeUndefined();
  const closed = known.open();
  known.push([eventAt(2), eventAt(1)]);
  expect(known.after(0, 10)?.map(({ position }) => position)).toEqual([1, 2]);
  const large = 'x'.repeat(BUDGETS.log.ownCommits.bytes / 4);
  for (const position of range(3, 7)) known.push([eventAt(position, large)]);
  expect(known.after(2, 10)).toBeUndefined();
  closed();
  closed();
  expect(known.isKept).toBe(false);
});
