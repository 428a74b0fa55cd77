import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SharedWrites } from '../coordination/port.ts';
import { OwnWrites } from './own-writes.ts';

/** Other nodes have no writes to report. */
const ALONE: SharedWrites = { record: async () => {}, of: async () => 0 };

/** Views at a checkpoint, which reach a position only when the spec says so. */
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
  it('are seen at once by a user without writes, or whose writes the views already hold', async () => {
    const { views, waited } = viewsAt(10);
    const writes = new OwnWrites(views, ALONE);
    writes.record('1', 10, true);
    expect(await writes.seen('1', ['timelines'])).toBe(true);
    expect(await writes.seen('2', ['timelines'])).toBe(true);
    expect(waited).toEqual([]);
  });

  it('are waited for, and count as missing when the views do not reach them in time', async () => {
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

  it('hold up the next query but not the next command when they are messages', async () => {
    const { views, waited } = viewsAt(10);
    const writes = new OwnWrites(views, ALONE);
    writes.record('1', 20, false);
    expect(await writes.structureSeen('1')).toBe(true);
    expect(await writes.seen('1', ['timelines'])).toBe(false);
    expect(waited).toEqual([20]);
  });

  it('are waited for up to the last one, in whatever order they were recorded', async () => {
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
