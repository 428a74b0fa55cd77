import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SharedWrites } from '../coordination/port.ts';
import { OwnWrites } from './own-writes.ts';

/** No other node has anything to tell. */
const ALONE: SharedWrites = { record: async () => {}, of: async () => 0 };

/** Views at a checkpoint, which reach a position only when told to. */
const viewsAt = (checkpoint: number, reaches = false) => {
  const waited: number[] = [];
  const progress = {
    checkpoint: () => checkpoint,
    whenProcessed: async (position: number) => {
      waited.push(position);
      return reaches;
    },
  };
  const views = { progress: () => progress };
  return { views, waited };
};

describe('own writes', () => {
  it('are seen at once by who wrote nothing, or nothing that the views do not have', async () => {
    const { views, waited } = viewsAt(10);
    const writes = new OwnWrites(views, ALONE);
    writes.record('1', 10, true);
    expect(await writes.seen('1', ['timelines'])).toBe(true);
    expect(await writes.seen('2', ['timelines'])).toBe(true);
    expect(waited).toEqual([]);
  });

  it('are waited for, and missed when the views do not get there in time', async () => {
    for (const reaches of [true, false]) {
      const { views, waited } = viewsAt(10, reaches);
      const writes = new OwnWrites(views, ALONE);
      writes.record('1', 11, true);
      expect(await writes.seen('1', ['timelines'])).toBe(reaches);
      expect(await writes.structureSeen('1')).toBe(reaches);
      expect(await writes.seen('2', ['timelines'])).toBe(true);
      expect(waited).toEqual([11, 11]);
    }
  });

  it('that say something do not hold up the next command, only the next query', async () => {
    const { views, waited } = viewsAt(10);
    const writes = new OwnWrites(views, ALONE);
    writes.record('1', 20, false);
    expect(await writes.structureSeen('1')).toBe(true);
    expect(await writes.seen('1', ['timelines'])).toBe(false);
    expect(waited).toEqual([20]);
  });

  it('are waited for up to the last of them, in whatever order they were told', async () => {
    const write = fc.record({ position: fc.integer({ min: 11, max: 99 }), structural: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(write, { minLength: 1 }), async (list) => {
        const { views, waited } = viewsAt(10);
        const writes = new OwnWrites(views, ALONE);
        for (const { position, structural } of list) writes.record('1', position, structural);
        await writes.seen('1', ['timelines']);
        await writes.structureSeen('1');
        const last = (of: typeof list) => Math.max(...of.map(({ position }) => position));
        const structural = list.filter((one) => one.structural);
        expect(waited).toEqual(structural.length === 0 ? [last(list)] : [last(list), last(structural)]);
      }),
    );
  });
});
