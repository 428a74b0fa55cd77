import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TIME_ZERO } from '../log/memory.ts';
import { Story } from '../projections/testing.ts';
import { systemClock } from '../schemas/clock.ts';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import { Leftovers } from './processes.ts';

const aLook = (story: Story, from = 0) => {
  const finished: ParleyEvent[] = [];
  const written: number[] = [];
  const clock = { now: TIME_ZERO + 3_600_000 };
  const warnings: unknown[] = [];
  const leftovers = new Leftovers({
    log: story.log,
    processes: { finish: async (events) => void finished.push(...events) },
    checkpoints: { read: async () => from, write: async (_name, position) => void written.push(position) },
    logger: { warn: (fields) => warnings.push(fields) },
    clock: { ...systemClock, wallTime: () => clock.now },
  });
  return { leftovers, finished, written, clock };
};

const until = async (holds: () => boolean) => {
  while (!holds()) await turn();
};

describe('leftover work of a dead node', () => {
  it('is finished from the checkpoint on, and the checkpoint moves', async () => {
    const story = new Story();
    story.guild('10', '1');
    const second = story.guild('20', '1');
    story.post('101', '1');
    const { leftovers, finished, written } = aLook(story, 1);
    leftovers.start();
    await until(() => written.length > 0);
    await leftovers.stop();
    expect(finished).toEqual([second]);
    expect(written).toEqual([3]);
  });

  it('is finished only when it is old enough, since younger work is still in progress elsewhere', async () => {
    const story = new Story();
    const first = story.guild('10', '1');
    story.guild('20', '1');
    const { leftovers, finished, written, clock } = aLook(story);
    clock.now = first.time + 2000;
    leftovers.start();
    await until(() => written.length > 0);
    await leftovers.stop();
    expect(finished).toEqual([first]);
    expect(written).toEqual([1]);
  });
});
