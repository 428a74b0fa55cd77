import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestClock } from '../schemas/clock.testing.ts';
import { type Clock, systemClock } from '../schemas/clock.ts';
import { Batcher, type BatcherOptions, type Gathering, oneAnswer } from './batcher.ts';

const ROOMY = { count: 1000, bytes: 1_000_000 };

/** A commit that the spec answers by hand. */
const byHand = (options: Partial<BatcherOptions<string, string>> & { readonly gather: Gathering }) => {
  const asked: (readonly string[])[] = [];
  const settle: { resolve: (answers: readonly string[]) => void; reject: (failure: Error) => void }[] = [];
  const batcher = new Batcher<string, string>({
    most: ROOMY,
    bytesOf: (item) => item.length,
    commit: (items) => {
      asked.push(items);
      return new Promise((resolve, reject) => settle.push({ resolve, reject }));
    },
    ...options,
  });
  const answer = async (n: number) => {
    settle[n]!.resolve(asked[n]!.map((item) => `${item}!`));
    await turn();
  };
  return { batcher, asked, settle, answer };
};

/** A commit that records its items and answers at once. */
const atOnce = (options: Partial<BatcherOptions<string, string>> = {}) => {
  const batches: (readonly string[])[] = [];
  const batcher = new Batcher<string, string>({
    gather: 'turn',
    most: ROOMY,
    bytesOf: (item) => item.length,
    commit: (items) => {
      batches.push(items);
      return items.map((item) => `${item}!`);
    },
    ...options,
  });
  return { batcher, batches };
};

class Permanent extends Error {}
const classify = (failure: unknown) => (failure instanceof Permanent ? 'permanent' : 'transient');

describe('gathering', () => {
  it('until the end of the turn puts everything added in the turn into one batch', async () => {
    const { batcher, batches } = atOnce();
    const answers = Promise.all([batcher.add('a'), Promise.resolve().then(() => batcher.add('b'))]);
    expect(batches).toEqual([]);
    expect(await answers).toEqual(['a!', 'b!']);
    expect(await batcher.add('c')).toBe('c!');
    expect(batches).toEqual([['a', 'b'], ['c']]);
  });

  it('until the end of the previous commit puts everything added meanwhile into the next batch', async () => {
    const { batcher, asked, answer } = byHand({ gather: 'previous' });
    const first = [batcher.add('a'), batcher.add('b')];
    await turn();
    const second = [batcher.add('c'), batcher.add('d')];
    await turn();
    expect(asked).toEqual([['a', 'b']]);
    await answer(0);
    expect(await Promise.all(first)).toEqual(['a!', 'b!']);
    expect(asked).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    await answer(1);
    expect(await Promise.all(second)).toEqual(['c!', 'd!']);
  });

  describe('for some milliseconds', () => {
    it('commits the first batch at once, and the next that long after the first began', async () => {
      const clock = new TestClock();
      const { batcher, batches } = atOnce({ gather: { ms: 4, enough: 3, clock } });
      await batcher.add('a');
      const later = [batcher.add('b')];
      await turn();
      await clock.advance(3);
      later.push(batcher.add('c'));
      await turn();
      expect(batches).toEqual([['a']]);
      await clock.advance(1);
      await Promise.all(later);
      expect(batches).toEqual([['a'], ['b', 'c']]);
    });

    it('does not wait when enough items are there, or when the commit took that long', async () => {
      const clock = new TestClock();
      const { batcher, asked, answer } = byHand({ gather: { ms: 4, enough: 2, clock } });
      const added = [batcher.add('a')];
      await turn();
      added.push(batcher.add('b'), batcher.add('c'));
      await answer(0);
      expect(asked).toEqual([['a'], ['b', 'c']]);
      added.push(batcher.add('d'));
      await clock.advance(4);
      await answer(1);
      expect(asked).toEqual([['a'], ['b', 'c'], ['d']]);
      expect(clock.pending).toBe(0);
      await answer(2);
      await Promise.all(added);
    });
  });
});

describe('a batch', () => {
  it('holds as many items as its bound, and the next batch holds the rest', async () => {
    const { batcher, batches } = atOnce({ most: { count: 3, bytes: 1000 } });
    await Promise.all(['a', 'b', 'c', 'd'].map((item) => batcher.add(item)));
    expect(batches).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('holds as many bytes as its bound, and the next batch holds the rest', async () => {
    const { batcher, batches } = atOnce({ most: { count: 1000, bytes: 6 } });
    await Promise.all(['aaa', 'bbb', 'c', 'dddddd', 'e'].map((item) => batcher.add(item)));
    expect(batches).toEqual([['aaa', 'bbb'], ['c'], ['dddddd'], ['e']]);
  });

  it('counts an item as `countOf` says', async () => {
    const { batcher, batches } = atOnce({ most: { count: 4, bytes: 1000 }, countOf: Number });
    await Promise.all(['3', '1', '2', '3'].map((item) => batcher.add(item)));
    expect(batches).toEqual([['3', '1'], ['2'], ['3']]);
  });

  it('is a single item when that exceeds a bound by itself', async () => {
    const { batcher, batches } = atOnce({ most: { count: 1000, bytes: 2 } });
    await Promise.all(['a', 'bbb', 'c'].map((item) => batcher.add(item)));
    expect(batches).toEqual([['a'], ['bbb'], ['c']]);
  });

  it('lets other work run before the next batch, with one batch per turn', async () => {
    const { batcher, batches } = atOnce({ most: { count: 1, bytes: 1000 } });
    const both = Promise.all([batcher.add('a'), batcher.add('b')]);
    await turn();
    expect(batches).toEqual([['a']]);
    await both;
  });
});

describe('a failure', () => {
  it('that is transient fails its whole batch, and later batches go on', async () => {
    const { batcher, settle, answer } = byHand({ gather: 'previous', classify });
    const first = Promise.allSettled([batcher.add('a'), batcher.add('b')]);
    await turn();
    const second = batcher.add('c');
    settle[0]!.reject(new Error('gone'));
    expect((await first).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await turn();
    await answer(1);
    expect(await second).toBe('c!');
  });

  it('that is permanent fails only its own item, and the others are stored', async () => {
    const commit = (items: readonly string[]) => {
      if (items.includes('bad')) throw new Permanent('bad');
      return items;
    };
    const { batcher } = atOnce({ commit, classify });
    const outcomes = await Promise.allSettled(['a', 'b', 'bad', 'c'].map((item) => batcher.add(item)));
    expect(outcomes.map((one) => (one.status === 'fulfilled' ? one.value : one.reason))).toEqual([
      'a',
      'b',
      new Permanent('bad'),
      'c',
    ]);
  });

  it('that is transient while a batch is being halved fails the rest at once', async () => {
    const tried: (readonly string[])[] = [];
    const commit = async (items: readonly string[]) => {
      tried.push(items);
      if (items.includes('bad')) throw new Permanent('bad');
      throw new Error('gone');
    };
    const { batcher } = atOnce({ commit, classify });
    const outcomes = await Promise.allSettled(['a', 'b', 'bad', 'c'].map((item) => batcher.add(item)));
    expect(outcomes.map((one) => one.status === 'rejected' && one.reason)).toEqual(Array(4).fill(new Error('gone')));
    expect(tried).toEqual([
      ['a', 'b', 'bad', 'c'],
      ['a', 'b'],
    ]);
  });

  it('becomes a value if the store has one for it', async () => {
    const commit = () => {
      throw new Error('full');
    };
    const { batcher } = atOnce({ commit, refuse: (failure) => `refused: ${(failure as Error).message}` });
    expect(await batcher.add('a')).toBe('refused: full');
  });

  it('while measuring an item fails that item alone', async () => {
    const bytesOf = (item: string) => {
      if (item === 'bad') throw new TypeError('cannot be measured');
      return 1;
    };
    const { batcher } = atOnce({ bytesOf });
    const outcomes = await Promise.allSettled(['a', 'bad', 'b'].map((item) => batcher.add(item)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });
});

describe('closing', () => {
  it('stores waiting items without gathering more, and refuses later ones', async () => {
    const clock = new TestClock();
    const { batcher, batches } = atOnce({ gather: { ms: 1000, enough: 10, clock } });
    await batcher.add('a');
    const waiting = batcher.add('b');
    await turn();
    expect(clock.pending).toBe(1);
    await batcher.close(new Error('closed'));
    expect(batches).toEqual([['a'], ['b']]);
    expect(clock.pending).toBe(0);
    expect(await waiting).toBe('b!');
    await expect(batcher.add('c')).rejects.toThrow('closed');
    await batcher.close(new Error('closed again'));
    await expect(batcher.add('d')).rejects.toThrow('closed');
  });
});

it('one answer can serve all items', async () => {
  const batcher = new Batcher<string, number>({
    gather: 'previous',
    most: ROOMY,
    bytesOf: () => 1,
    commit: oneAnswer(async (items) => items.length),
  });
  expect(await Promise.all([batcher.add('a'), batcher.add('b')])).toEqual([2, 2]);
});

describe('for any items, sizes and failures', () => {
  const MOST = { count: 10, bytes: 100 };
  /** Mostly several to a batch, sometimes one that exceeds a bound by itself. */
  const size = (usual: number, largest: number) =>
    fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: usual }) }, fc.integer({ min: 1, max: largest }));
  const item = fc.record({
    count: size(3, 12),
    bytes: size(30, 120),
    bad: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
  });
  /** Items added at the same moment, then more some turns later. */
  const waves = fc.array(fc.record({ items: fc.array(item, { maxLength: 12 }), turns: fc.nat({ max: 3 }) }), {
    maxLength: 6,
  });
  /** A clock whose every pause is one turn of the event loop. */
  let now = 0;
  const hastyClock: Clock = {
    ...systemClock,
    monotonic: () => {
      now += 1;
      return now;
    },
    delay: () => turn(),
  };
  const gather = fc.constantFrom<Gathering>('turn', 'previous', { ms: 4, enough: 3, clock: hastyClock });
  /** Which commits, in order, meet a store that is gone. */
  const gone = fc.array(fc.boolean(), { maxLength: 8 });

  interface Numbered {
    readonly id: number;
    readonly count: number;
    readonly bytes: number;
    readonly bad: boolean;
  }

  it('each item is answered once, within bounds and in order, and only bad items and outages fail', async () => {
    await fc.assert(
      fc.asyncProperty(waves, gather, gone, fc.boolean(), async (added, rule, outages, waits) => {
        const commits: (readonly Numbered[])[] = [];
        const stored: number[] = [];
        const outage = new Set<number>();
        let underWay = 0;
        const store = (items: readonly Numbered[]) => {
          expect(underWay).toBe(waits ? 1 : 0);
          if (outages[commits.push(items) - 1]) {
            for (const { id } of items) outage.add(id);
            throw new Error('gone');
          }
          const bad = items.find((one) => one.bad);
          if (bad !== undefined) throw new Permanent(items.length === 1 ? `${bad.id}` : 'of one of them');
          stored.push(...items.map(({ id }) => id));
          return items.map(({ id }) => id);
        };
        const batcher = new Batcher<Numbered, number>({
          gather: rule,
          most: MOST,
          countOf: ({ count }) => count,
          bytesOf: ({ bytes }) => bytes,
          classify,
          commit: waits
            ? async (items) => {
                underWay += 1;
                await turn();
                try {
                  return store(items);
                } finally {
                  underWay -= 1;
                }
              }
            : store,
        });
        const all: Numbered[] = [];
        const outcomes: (number | string)[][] = [];
        for (const { items, turns } of added) {
          for (const one of items) {
            const numbered = { ...one, id: all.length };
            all.push(numbered);
            const outcome: (number | string)[] = [];
            outcomes.push(outcome);
            batcher.add(numbered).then(
              (answer) => outcome.push(answer),
              (failure: Error) => outcome.push(failure.message),
            );
          }
          for (let i = 0; i < turns; i += 1) await turn();
        }
        await batcher.close(new Error('closed'));
        await turn();

        for (const { id, bad } of all) {
          expect(outcomes[id]).toHaveLength(1);
          const [outcome] = outcomes[id]!;
          // An outage while a batch is being halved fails the rest of it.
          if (outcome === 'gone') expect(outages.includes(true)).toBe(true);
          else expect(outcome).toBe(bad ? `${id}` : id);
          if (outage.has(id)) expect(outcome).toBe('gone');
        }
        if (!outages.includes(true)) expect(stored).toEqual(all.filter(({ bad }) => !bad).map(({ id }) => id));
        // Exactly the items answered as stored are stored, once and in order.
        expect(stored).toEqual([...new Set(stored)].sort((a, b) => a - b));
        expect(stored).toEqual(all.filter(({ id }) => outcomes[id]![0] === id).map(({ id }) => id));
        for (const items of commits) {
          if (items.length === 1) continue;
          expect(items.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(MOST.count);
          expect(items.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(MOST.bytes);
        }
      }),
      { numRuns: 300 },
    );
  });
});
