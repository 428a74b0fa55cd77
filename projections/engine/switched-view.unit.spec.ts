import { afterEach, describe, expect, it } from 'vitest';
import { MemoryCheckpoints } from '../../coordination/memory.ts';
import { passingOn, TestClock } from '../../schemas/clock.testing.ts';
import { flipTo, type SwitchedView, standingFor, switchedView, type ViewKind } from './generations.ts';
import type { PartitionStore } from './port.ts';

describe('a view that changes generations', () => {
  let view: SwitchedView<{ name(): string }>;
  afterEach(() => view.close());

  it('switches to the next generation once that has caught up, and hears of that one alone', async () => {
    const clock = new TestClock();
    const checkpoints = new MemoryCheckpoints();
    const held = new Map([
      [1, [10, 12]],
      [2, [4, 4]],
    ]);
    const closed: number[] = [];
    const kind: ViewKind<{ name(): string }> = {
      name: 'timelines',
      prepare: async () => {},
      open: async (generation) => ({
        readers: { name: () => `generation ${generation}` },
        store: { checkpoints: async () => held.get(generation)! } as unknown as PartitionStore,
        close: async () => {
          closed.push(generation);
        },
      }),
    };
    view = await switchedView({ kind, checkpoints, partitions: 2, clock });
    const reader = standingFor(() => view.readers());
    expect([reader.name(), view.progress.checkpoint()]).toEqual(['generation 1', 10]);

    await flipTo(checkpoints, 'timelines', 2);
    view.heardOf({ view: 'timelines', generation: 2, through: { 0: 99, 1: 99 } });
    view.heardOf({ view: 'timelines', generation: 1, through: { 0: 11 } });
    expect(view.progress.checkpoint()).toBe(11);
    held.set(2, [12, 13]);
    await passingOn(clock).until(() => reader.name() === 'generation 2');
    expect(view.progress.checkpoint()).toBe(12);
    expect(closed).toEqual([1]);
  });
});
