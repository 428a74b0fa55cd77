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
        const isFull = (count: number) => pending.isFull({ count, bytes: Number.POSITIVE_INFINITY });
        expect([isFull(sorted.length), isFull(sorted.length + 1)]).toEqual([true, false]);
        const due = sorted.filter((position) => position <= to).slice(0, limit);
        expect(pending.upTo(to, limit).map(({ event }) => event.position)).toEqual(due);
        pending.drop(due.length);
        expect(pending.upTo(50, 50).map(({ event }) => event.position)).toEqual(sorted.slice(due.length));
      },
    ),
  );
});

it.each(['x', 'é', '€', '😀'])('a few megabytes of events are as many as may wait, however few (%s)', (character) => {
  const pending = new Pending();
  const data = { emoji: character.repeat(65_536 / Buffer.byteLength(character)) };
  const isFull = () => pending.isFull({ count: 1000, bytes: 1_048_576 });
  for (let position = 1; position <= 20; position += 1) {
    pending.add({ position, data } as unknown as ParleyEvent);
    pending.add({ position, data } as unknown as ParleyEvent);
    expect(isFull()).toBe(position >= 16);
  }
  pending.drop(5);
  expect(isFull()).toBe(false);
});

it('an event that arrived as a pulse keeps its arrival time', () => {
  const pending = new Pending();
  pending.add(at(1), 5);
  pending.add(at(1), 9);
  pending.add(at(2));
  expect(pending.upTo(2, 5).map((one) => one.at)).toEqual([5, undefined]);
});
