import { describe, expect, it } from 'vitest';
import { SLICE_MS, TimeSlices } from './time-slices.ts';

/** Workers whose every step takes one millisecond; `turns` counts the turns that others got. */
const working = async (workers: number, steps: number) => {
  let now = 0;
  let ended = false;
  const slices = new TimeSlices({ monotonic: () => now });
  const taken: number[] = [];
  const held: number[] = [];
  let before = 0;
  const look = () => {
    held.push(now - before);
    before = now;
    if (!ended) setImmediate(look);
  };
  setImmediate(look);
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      for (let step = 0; step < steps; step += 1) {
        await slices.step(() => {
          now += 1;
          taken.push(worker);
        });
      }
    }),
  );
  ended = true;
  return { taken, held };
};

describe('time slices', () => {
  it.each([
    [1, 100],
    [8, 50],
    [200, 3],
  ])('hold the event loop no longer than a slice: %i workers with %i steps each', async (workers, steps) => {
    const { taken, held } = await working(workers, steps);
    expect(taken).toHaveLength(workers * steps);
    expect(Math.max(...held)).toBeLessThanOrEqual(SLICE_MS + 1);
  });

  it('give every worker its steps in turn', async () => {
    const { taken } = await working(4, 50);
    const late = taken.slice(50);
    for (let at = 0; at + 4 <= late.length; at += 4) expect(new Set(late.slice(at, at + 4)).size).toBeGreaterThan(2);
  });

  it('let steps that take no time follow each other at once', async () => {
    const slices = new TimeSlices({ monotonic: () => 0 });
    let others = false;
    setImmediate(() => {
      others = true;
    });
    for (let n = 0; n < 1000; n += 1) await slices.step(() => {});
    expect(others).toBe(false);
  });

  it('fail a step alone', async () => {
    let now = 0;
    const slices = new TimeSlices({ monotonic: () => now });
    const steps = Array.from({ length: 20 }, (_, n) =>
      slices.step(() => {
        now += 1;
        if (n === 10) throw new Error('the tenth');
        return n;
      }),
    );
    const answers = await Promise.allSettled(steps);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(19);
  });
});
