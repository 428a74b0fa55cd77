import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SLICE_MS, TimeSlices } from '../schemas/time-slices.ts';
import { slicedJson } from './sliced-json.ts';

describe('JSON in slices of time', () => {
  it('is what JSON.stringify returns', async () => {
    const slices = new TimeSlices({ monotonic: () => 0 });
    const long = fc.array(fc.jsonValue(), { maxLength: 30 });
    const field = fc.oneof(fc.jsonValue(), long, fc.constant(undefined));
    const value = fc.oneof(fc.jsonValue(), long, fc.array(field), fc.dictionary(fc.string(), field));
    await fc.assert(
      fc.asyncProperty(value, async (one) => {
        expect((await slicedJson(one, slices)).toString()).toBe(JSON.stringify(one));
      }),
    );
  });

  it.each([
    ['a list', Array.from({ length: 1000 }, (_, n) => n)],
    ['a list in a field', { items: Array.from({ length: 1000 }, (_, n) => n), more: true }],
  ])('of %s leaves the event loop its turns', async (_, value) => {
    let now = 0;
    // Every look at this clock takes a millisecond, and there is one for each step.
    const slices = new TimeSlices({ monotonic: () => (now += 1) });
    let turns = 0;
    let writing = true;
    const count = (): void => {
      turns += 1;
      if (writing) setImmediate(count);
    };
    setImmediate(count);
    await slicedJson(value, slices);
    writing = false;
    expect(turns).toBeGreaterThanOrEqual(100 / (SLICE_MS + 1));
  });
});
