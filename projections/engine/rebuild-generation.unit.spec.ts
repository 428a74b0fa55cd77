import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryCheckpoints } from '../../coordination/memory.ts';
import { systemClock } from '../../schemas/clock.ts';
import { Story } from '../testing.ts';
import { generationOf } from './generations.ts';
import { RebuildOvertaken, type RebuildParts, rebuildView, type ViewTools } from './rebuild-generation.ts';
import { MemorySink } from './testing.ts';

const VIEW = 'timelines';
const PARTITIONS = 2;

describe('a rebuild that hung while another began', () => {
  let checkpoints: MemoryCheckpoints;
  let stores: Map<number, MemorySink>;
  let story: Story;

  const tools = (compared: () => Promise<void>): ViewTools => ({
    kind: {
      name: VIEW,
      prepare: async (generation) => {
        if (!stores.has(generation)) stores.set(generation, new MemorySink(PARTITIONS));
      },
      open: async (generation) => ({ readers: {}, store: stores.get(generation)!, close: async () => {} }),
    },
    generations: async () => [...stores.keys()],
    drop: async (generation) => void stores.delete(generation),
    compare: async () => {
      await compared();
      return { compared: 0, differences: [], unsettled: [] };
    },
  });
  const rebuild = (over: Partial<RebuildParts> = {}, compared = async () => {}) =>
    rebuildView({
      ...{ tools: tools(compared), log: story.log, checkpoints, overlapMs: 0, clock: systemClock },
      ...{ say: () => {}, onStep: () => {}, onProgress: () => {}, onDropped: async () => {} },
      ...over,
    });
  const hanging = () => {
    let goOn = () => {};
    const hung = new Promise<void>((resolve) => (goOn = resolve));
    return { hung: () => hung, goOn: () => goOn() };
  };

  beforeEach(async () => {
    checkpoints = new MemoryCheckpoints();
    stores = new Map([[1, new MemorySink(PARTITIONS)]]);
    story = new Story();
    for (let n = 0; n < 20; n += 1) story.post(String(100 + n), '1');
  });

  it('ends without flipping to what it built', async () => {
    const { hung, goOn } = hanging();
    const one = rebuild({}, hung);
    await expect.poll(() => stores.has(2)).toBe(true);
    expect(await rebuild()).toMatchObject({ former: 1, built: 3 });
    goOn();
    await expect(one).rejects.toThrow(RebuildOvertaken);
    expect(await generationOf(checkpoints, VIEW)).toBe(3);
    expect(stores.has(3)).toBe(true);
  });

  it('does not drop the generation that is read now', async () => {
    // Left over from a rebuild that was interrupted: the next one drops it.
    stores.set(2, new MemorySink(PARTITIONS));
    const { hung, goOn } = hanging();
    const held = { ...tools(async () => {}) };
    const one = rebuild({
      tools: {
        ...held,
        // It learns what exists only after the other rebuild has ended.
        generations: async () => {
          if (checkpoints.positions.has(`made:${VIEW}`)) await hung();
          return [...stores.keys()];
        },
      },
    });
    await expect.poll(() => checkpoints.positions.get(`made:${VIEW}`)).toBe(3);
    expect(await rebuild()).toMatchObject({ built: 4 });
    goOn();
    await expect(one).rejects.toThrow(RebuildOvertaken);
    expect(await generationOf(checkpoints, VIEW)).toBe(4);
    expect([...stores.keys()]).toContain(4);
  });
});
