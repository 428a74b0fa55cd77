import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { newEvent } from '../testing.ts';
import { RecentEvents } from './reader.ts';

const eventAt = (position: number) => ({ ...newEvent('channel-1', position), position }) as ParleyEvent;

describe('recent events', () => {
  it('are returned exactly, or not at all when some are no longer held', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 50 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 40 }),
        (start, capacity, batches, limit) => {
          const recent = new RecentEvents(start, capacity);
          let head = start;
          for (const size of batches) {
            recent.push(Array.from({ length: size }, (_, i) => eventAt(head + i + 1)));
            head += size;
          }
          expect(recent.head).toBe(head);
          for (let position = 0; position <= head + 1; position += 1) {
            const found = recent.after(position, limit);
            const held = position >= Math.max(start, head - capacity);
            const expected = Array.from(
              { length: Math.max(0, Math.min(limit, head - position)) },
              (_, i) => position + i + 1,
            );
            expect(found?.map((event) => event.position)).toEqual(held ? expected : undefined);
          }
        },
      ),
    );
  });
});
