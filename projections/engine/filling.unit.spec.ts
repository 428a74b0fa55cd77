import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryLog } from '../../log/memory.ts';
import { systemClock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { Filling, RebuildFailed } from './filling.ts';
import { partitionOf } from './partitions.ts';
import { byStream, MemorySink } from './testing.ts';

const PARTITIONS = 4;
const MESSAGE = { messageId: '1', ordinal: 1, author: '1', guildId: null };

const logOf = (streams: readonly string[]): MemoryLog => {
  const log = new MemoryLog();
  for (const stream of streams) log.add(stream, 'message-deleted', MESSAGE);
  return log;
};
const many = (count: number) => logOf(Array.from({ length: count }, (_, i) => `channel-${i % 11}`));
const all = (position: number) => new Array<number>(PARTITIONS).fill(position);
const filling = (log: MemoryLog, store: MemorySink, said: string[] = [], onProgress?: (through: number) => void) =>
  Filling.begin({
    log,
    store,
    clock: systemClock,
    say: (line) => void said.push(line),
    ...(onProgress && { onProgress }),
  });

describe('filling a generation', () => {
  it('stores each event once and each stream in order, whatever the targets on the way', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(9), { minLength: 1, maxLength: 60 }),
        fc.array(fc.array(fc.nat(60), { minLength: PARTITIONS, maxLength: PARTITIONS }), { maxLength: 4 }),
        async (channels, rounds) => {
          const log = logOf(channels.map((channel) => `channel-${channel}`));
          const store = new MemorySink(PARTITIONS);
          const one = await filling(log, store);
          const head = log.all.length;
          for (const round of [...rounds, all(head)]) await one.to(round.map((target) => Math.min(target, head)));
          expect(store.positions).toEqual(all(head));
          expect(byStream(store.events)).toEqual(byStream(log.all));
          expect(store.events).toHaveLength(head);
        },
      ),
    ));

  it('reads the log once for all partitions', async () => {
    const log = many(5000);
    const reads: number[] = [];
    const counted = Object.assign(Object.create(log) as MemoryLog, {
      readAll: (query: { after: number; limit: number }) => {
        reads.push(query.after);
        return log.readAll(query);
      },
    });
    await (await filling(counted, new MemorySink(PARTITIONS))).to(all(5000));
    expect(reads).toEqual([0, 2000, 4000]);
  });

  it.each(['x', 'é', '€', '😀'])(
    'stores large events in small batches, and holds few of them (%s)',
    async (character) => {
      const log = new MemoryLog();
      const large = { ...MESSAGE, userId: '1', emoji: character.repeat(65_536 / Buffer.byteLength(character)) };
      for (let i = 0; i < 1200; i += 1) log.add('channel-1', 'reaction-added', large);
      const store = new MemorySink(PARTITIONS);
      let read = 0;
      let most = 0;
      const counted = Object.assign(Object.create(log) as MemoryLog, {
        readAll: async (query: { after: number; limit: number }) => {
          const page = await log.readAll(query);
          read = page.through;
          most = Math.max(most, read - store.events.length);
          return page;
        },
      });
      await (await filling(counted, store)).to(all(1200));
      expect(byStream(store.events)).toEqual(byStream(log.all));
      const largest = Math.max(...store.batches.map(({ events }) => events.length));
      expect(largest * 65_536).toBeLessThanOrEqual(BUDGETS.log.commit.bytes);
      expect(most * 65_536).toBeLessThan(4 * BUDGETS.log.commit.bytes);
    },
  );

  it('continues from the store’s checkpoint, even after the store lost everything', async () => {
    const log = many(100);
    const store = new MemorySink(PARTITIONS);
    const one = await filling(log, store);
    await one.to(all(40));
    store.empty();
    await one.to(all(100));
    expect(store.positions).toEqual(all(100));
    expect(byStream(store.events)).toEqual(byStream(log.all));
  });

  it('keeps retrying an unavailable store, and reports it', async () => {
    const store = new MemorySink(PARTITIONS);
    let left = 2;
    store.fails = () => {
      left -= 1;
      return left >= 0 ? new StoreUnavailable('timelines', 1) : undefined;
    };
    const said: string[] = [];
    await (await filling(many(50), store, said)).to(all(50));
    expect(store.events).toHaveLength(50);
    expect(said[0]).toMatch(/^the store cannot be asked now \(timelines cannot be reached now\); again in 0\.\d s$/);
  });

  it('stops at an event that the store refuses, names it, and stores nothing after it', async () => {
    const log = many(100);
    const store = new MemorySink(PARTITIONS);
    store.kind = 'permanent';
    store.fails = ({ events }) => (events.some(({ position }) => position === 34) ? new Error('not this') : undefined);
    const failure = await (await filling(log, store)).to(all(100)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RebuildFailed);
    expect((failure as Error).message).toBe(
      'event event-34 (message-deleted, channel-0 4, position 34) cannot be applied: not this',
    );
    const stored = store.batches.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.batches).toHaveLength(stored);
    expect(store.positions[partitionOf('channel-0', PARTITIONS)]).toBeLessThan(34);
  });

  it('rejects targets that the log has not reached', async () => {
    await expect((await filling(many(10), new MemorySink(PARTITIONS))).to(all(11))).rejects.toThrow(
      'the log ends at 10, before 11',
    );
  });

  it('keeps up with moving targets, and reports its lowest position', async () => {
    const log = many(2500);
    const progress: number[] = [];
    const one = await filling(log, new MemorySink(PARTITIONS), [], (through) => void progress.push(through));
    let looks = 0;
    await one.upTo(async () => {
      looks += 1;
      return all([1500, 2400, 2500][looks - 1] ?? 2500);
    });
    expect([looks, one.lowest]).toEqual([2, 2400]);
    expect(progress.at(-1)).toBe(2400);
    expect([...progress].sort((a, b) => a - b)).toEqual(progress);
  });

  it('hands over each partition once another process moves it', async () => {
    const log = many(40);
    const store = new MemorySink(PARTITIONS);
    const one = await filling(log, store);
    await one.to(all(20));
    store.positions[0] = 30;
    expect(await one.handOver(all(40))).toBe(false);
    expect(store.positions).toEqual([30, 40, 40, 40]);
    store.positions.fill(41);
    expect(await one.handOver(all(42))).toBe(true);
    expect(store.positions).toEqual(all(41));
  });
});
