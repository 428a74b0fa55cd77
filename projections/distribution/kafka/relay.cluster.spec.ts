import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryCheckpoints } from '../../../coordination/memory.ts';
import { MemoryLog } from '../../../log/memory.ts';
import { urls } from '../../../services/endpoints.ts';
import { eventsTopic } from '../../../stores/kafka/connection.ts';
import { WrongPartitions } from '../../../stores/kafka/failures.ts';
import { partitionOf } from '../../engine/partitions.ts';
import { Story } from '../../testing.ts';
import { contentsOf, dropNamespace, randomNamespace, silent, withAdmin } from '../testing.ts';
import { type RelayOptions, startRelay } from './relay.ts';

const PARTITIONS = 4;

let namespace: string;
let log: MemoryLog;
let story: Story;
let checkpoints: MemoryCheckpoints;
const begin = (over: Partial<Pick<RelayOptions, 'onFailure' | 'onRelayed'>> = {}) => {
  let check = () => {};
  const relay = startRelay({
    log,
    url: urls.kafka,
    namespace,
    partitions: PARTITIONS,
    checkpoints,
    logger: silent,
    onRelayed: () => check(),
    onFailure: (failure) => {
      throw failure;
    },
    ...over,
  });
  const until = (position: number) =>
    new Promise<void>((resolve) => {
      check = () => {
        if (relay.position >= position) resolve();
      };
      check();
    });
  return { relay, until };
};

beforeEach(() => {
  namespace = randomNamespace();
  log = new MemoryLog();
  story = new Story(log);
  checkpoints = new MemoryCheckpoints();
});
afterEach(() => dropNamespace(namespace));

const post = (count: number) => {
  for (let n = 0; n < count; n += 1) story.post(String(100 + (n % 7)), '1');
};

describe('the relay', () => {
  it('copies the log by stream, in order, with ticks that add up', async () => {
    post(2500);
    const { relay, until } = begin();
    await until(2500);
    post(10);
    await until(2510);
    await relay.stop();
    const found = await contentsOf(eventsTopic(namespace));
    const events = found.flatMap(({ event }) => event ?? []);
    expect(events.length).toBe(2510);
    for (const { partition, key, event } of found)
      if (event !== undefined) expect([partition, key]).toEqual([partitionOf(event.stream, PARTITIONS), event.stream]);
    expect(events.find(({ position }) => position === 1200)).toEqual(log.all[1199]);
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      let [reached, count, last] = [0, 0, 0];
      for (const { event, tick } of found.filter((record) => record.partition === partition)) {
        if (event !== undefined) {
          expect(event.position).toBeGreaterThan(last);
          last = event.position;
          count += 1;
        }
        if (tick === undefined) continue;
        expect(tick).toEqual({ from: reached, through: tick.through, count, epoch: log.epoch });
        expect(last).toBeLessThanOrEqual(tick.through);
        [reached, count] = [tick.through, 0];
      }
      expect(reached).toBe(2510);
    }
    expect(checkpoints.positions.get('relay')).toBe(2510);
  });

  it('reads no more often than each 10 ms what comes one by one', async () => {
    const reads: { readonly at: number; readonly found: number }[] = [];
    const rawAll = log.rawAll.bind(log);
    log.rawAll = async (query) => {
      const at = performance.now();
      const page = await rawAll(query);
      reads.push({ at, found: page.events.length });
      return page;
    };
    const { relay, until } = begin();
    for (let count = 1; count <= 10; count += 1) {
      post(1);
      await until(count);
    }
    await relay.stop();
    const gaps = reads.slice(1).flatMap(({ at }, i) => (reads[i]!.found > 0 ? at - reads[i]!.at : []));
    expect(gaps.length).toBeGreaterThanOrEqual(9);
    // Timers may be early by a millisecond, and a call seen late.
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(7);
  });

  it('goes on from its checkpoint', async () => {
    post(10);
    const first = begin();
    await first.until(10);
    await first.relay.stop();
    post(10);
    const second = begin();
    await second.until(20);
    await second.relay.stop();
    const found = await contentsOf(eventsTopic(namespace));
    expect(found.flatMap(({ event }) => event ?? []).length).toBe(20);
  });

  it('says each second how far the log is when nothing moves', async () => {
    post(5);
    const idle = await new Promise<ReturnType<typeof begin>>((resolve) => {
      const running = begin({ onRelayed: (events, through) => events === 0 && through === 5 && resolve(running) });
    });
    await idle.relay.stop();
    const found = await contentsOf(eventsTopic(namespace));
    const ticks = found.flatMap(({ tick }) => tick ?? []);
    expect(ticks.filter(({ from, through, count }) => from === 5 && through === 5 && count === 0).length).toBe(
      PARTITIONS,
    );
  });

  it('refuses a topic with another number of partitions, and says what to do', async () => {
    await withAdmin((admin) => admin.createTopics({ topics: [{ topic: eventsTopic(namespace), numPartitions: 3 }] }));
    const failure = await new Promise<unknown>((resolve) => begin({ onFailure: resolve }));
    expect(failure).toBeInstanceOf(WrongPartitions);
    expect(String(failure)).toMatch(/has 3 partitions, PARLEY_PARTITIONS says 4.*set it to 3/);
  });

  it('begins at the head when its checkpoint is beyond the log', async () => {
    post(5);
    await checkpoints.write('relay', 100);
    const { relay, until } = begin();
    await until(5);
    post(3);
    await until(8);
    await relay.stop();
    const events = (await contentsOf(eventsTopic(namespace))).flatMap(({ event }) => event ?? []);
    expect(events.map(({ position }) => position).sort()).toEqual([6, 7, 8]);
  });
});
