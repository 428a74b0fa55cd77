import { describe, expect, it } from 'vitest';
import { Story } from '../projections/testing.ts';
import { TestClock } from '../schemas/clock.testing.ts';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import { LEFT_MS, Leftovers, LOOK_MS } from './processes.ts';

const aLook = (story: Story, from = 0) => {
  const finished: ParleyEvent[] = [];
  const written: number[] = [];
  const clock = new TestClock();
  const warnings: unknown[] = [];
  const leftovers = new Leftovers({
    log: story.log,
    processes: { finish: async (events) => void finished.push(...events) },
    checkpoints: { read: async () => from, write: async (_name, position) => void written.push(position) },
    logger: { warn: (fields) => warnings.push(fields) },
    clock,
  });
  leftovers.start();
  return { leftovers, finished, written, clock };
};

describe('leftover work of a dead node', () => {
  it('is finished from the checkpoint on, and the checkpoint moves', async () => {
    const story = new Story();
    story.guild('10', '1');
    const second = story.guild('20', '1');
    story.post('101', '1');
    const { leftovers, finished, written, clock } = aLook(story, 1);
    await clock.advance(LEFT_MS + 2 * LOOK_MS);
    await leftovers.stop();
    expect(finished).toEqual([second]);
    expect(written).toEqual([3]);
  });

  it.each([0, 120_000, -2 * 86_400_000])(
    'is finished only when it is old enough, since younger work is still in progress elsewhere, with a clock that jumps by %i ms',
    async (jump) => {
      const story = new Story();
      const first = story.guild('10', '1');
      const { leftovers, finished, written, clock } = aLook(story);
      await clock.advance(LEFT_MS / 2);
      clock.jump(jump);
      story.guild('20', '1');
      await clock.advance(LEFT_MS / 2 + 2 * LOOK_MS);
      await leftovers.stop();
      expect(finished).toEqual([first]);
      expect(written).toEqual([1]);
    },
  );
});
