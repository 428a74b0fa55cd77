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
          const recent = new RecentEvents(start, { count: capacity, bytes: 1_000_000 });
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

  it('hold fewer events when those are large, whatever the script', () => {
    const said = (position: number, text: string) =>
      ({ ...eventAt(position), data: { text: text.repeat(1000) } }) as never as ParleyEvent;
    for (const [text, bytes] of [
      ['a', 1000],
      ['é', 2000],
      ['中', 3000],
      ['😀', 4000],
    ] as const) {
      const recent = new RecentEvents(0, { count: 100, bytes: 50_000 });
      for (let position = 1; position <= 100; position += 1) recent.push([said(position, text)]);
      const held = Array.from({ length: 100 }, (_, i) => recent.after(i, 100)?.length ?? 0);
      const most = Math.max(...held);
      expect(most * bytes).toBeLessThanOrEqual(50_000);
      expect(most).toBeGreaterThan((0.7 * 50_000) / (bytes + 400));
      expect(
        recent
          .after(100 - most, 100)!
          .map(({ position }) => position)
          .at(-1),
      ).toBe(100);
      for (let position = 101; position <= 200; position += 1) recent.push([eventAt(position)]);
      expect(recent.after(100, 100)).toHaveLength(100);
    }
  });
});
