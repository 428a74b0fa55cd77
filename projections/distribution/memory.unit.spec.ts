import { describe, expect, it } from 'vitest';
import { MemoryCheckpoints } from '../../coordination/memory.ts';
import { MemoryLog } from '../../log/memory.ts';
import { passingOn, TestClock } from '../../schemas/clock.testing.ts';
import { Story } from '../testing.ts';
import { distributionContract } from './contract.ts';
import { MemoryDistribution } from './memory.ts';
import { foundIn, silent } from './testing.ts';

const PARTITIONS = 4;

const onFailure = (failure: unknown) => {
  throw failure;
};

distributionContract('memory', async () => {
  const clock = new TestClock();
  const distribution = new MemoryDistribution(PARTITIONS, clock);
  return {
    ...passingOn(clock, 10),
    partitions: PARTITIONS,
    relay: (options) => distribution.relay({ ...options, logger: silent, onFailure }),
    follow: (options) => distribution.follow({ ...options, group: 'timelines-g1', logger: silent, onFailure }),
    contents: async () => distribution.records.map(foundIn),
    expire: async () => distribution.expire(),
    dispose: async () => {},
  };
});

describe('a relay that receives events one by one', () => {
  it('reads the log at most every 10 ms', async () => {
    const clock = new TestClock();
    const log = new MemoryLog();
    const story = new Story(log);
    const reads: { readonly at: number; readonly found: number }[] = [];
    const rawAll = log.rawAll.bind(log);
    log.rawAll = async (query) => {
      const page = await rawAll(query);
      reads.push({ at: clock.monotonic(), found: page.events.length });
      return page;
    };
    const distribution = new MemoryDistribution(1, clock);
    const relay = distribution.relay({ log, checkpoints: new MemoryCheckpoints(), logger: silent, onFailure });
    for (let count = 1; count <= 10; count += 1) {
      story.post('100', '1');
      await passingOn(clock, 1).until(() => relay.position === count);
    }
    await relay.stop();
    const gaps = reads.slice(1).flatMap(({ at }, i) => (reads[i]!.found > 0 ? at - reads[i]!.at : []));
    expect(gaps.length).toBeGreaterThanOrEqual(9);
    expect(Math.min(...gaps)).toBe(10);
  });
});
