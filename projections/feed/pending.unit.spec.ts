import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { Pending } from './release.ts';

const at = (position: number) => ({ position }) as ParleyEvent;

it('events come out once each and in position order, in whatever order they arrived', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 50 })),
      fc.nat({ max: 50 }),
      fc.nat({ max: 10 }),
      (came, to, limit) => {
        const pending = new Pending();
        for (const position of came) pending.add(at(position));
        const sorted = [...new Set(came)].sort((a, b) => a - b);
        expect(pending.size).toBe(sorted.length);
        const due = sorted.filter((position) => position <= to).slice(0, limit);
        expect(pending.upTo(to, limit).map(({ event }) => event.position)).toEqual(due);
        pending.drop(due.length);
        expect(pending.upTo(50, 50).map(({ event }) => event.position)).toEqual(sorted.slice(due.length));
      },
    ),
  );
});

it('an event that arrived as a pulse keeps its arrival time', () => {
  const pending = new Pending();
  pending.add(at(1), 5);
  pending.add(at(1), 9);
  pending.add(at(2));
  expect(pending.upTo(2, 5).map((one) => one.at)).toEqual([5, undefined]);
});
