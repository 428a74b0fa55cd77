import { describe, expect, it } from 'vitest';
import { FairQueue, type QueueLimits } from './fair-queue.ts';

const aQueue = (limits: Partial<QueueLimits>) => {
  const queue = new FairQueue({ atOnce: 1, ...limits });
  const started: string[] = [];
  const ends: (() => void)[] = [];
  /** Work of a caller named `<address>/<person>`. */
  const ask = (caller: string, isGone?: () => boolean) => {
    const [address = '', userId = ''] = caller.split('/');
    return queue.run({ address, userId, ...(isGone === undefined ? {} : { isGone }) }, async () => {
      started.push(caller);
      await new Promise<void>((end) => ends.push(end));
      return caller;
    });
  };
  /** Ends the work that began first, `count` times. */
  const end = async (count = 1) => {
    for (let n = 0; n < count; n += 1) {
      ends.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { queue, started, ask, end };
};

describe('a fair queue', () => {
  it('starts at most so much at once, the rest in order', async () => {
    const { started, ask, end } = aQueue({ atOnce: 2 });
    for (const caller of ['a/1', 'a/1', 'a/1', 'a/1']) void ask(caller);
    await end(0);
    expect(started).toHaveLength(2);
    await end();
    expect(started).toHaveLength(3);
    await end(3);
    expect(started).toHaveLength(4);
  });

  it('lets addresses take turns, and the people of one address too, however much each of them asks', async () => {
    const { started, ask, end } = aQueue({});
    for (let n = 0; n < 4; n += 1) void ask('a/1');
    for (let n = 0; n < 2; n += 1) void ask('a/2');
    for (let n = 0; n < 2; n += 1) void ask('b/3');
    await end(8);
    expect(started).toEqual(['a/1', 'a/1', 'b/3', 'a/2', 'b/3', 'a/1', 'a/2', 'a/1']);
  });

  it('keeps a person and an address within their limits, and passes them over for others', async () => {
    const { started, ask, end } = aQueue({ atOnce: 10, perPerson: 1, perAddress: 2 });
    for (const caller of ['a/1', 'a/1', 'b/1', 'a/2', 'a/3', 'c/4']) void ask(caller);
    await end(0);
    expect(started).toEqual(['a/1', 'a/2', 'c/4']);
    await end();
    expect(started.slice(3)).toEqual(['b/1', 'a/3']);
  });

  it('refuses those beyond the bounds on what waits, in all and of one address', async () => {
    const { ask, end } = aQueue({ waiting: 3, waitingPerAddress: 2 });
    const all = Promise.all(['a/1', 'a/2', 'a/3', 'a/4', 'b/5', 'c/6'].map((caller) => ask(caller)));
    await end(5);
    expect(await all).toEqual(['a/1', 'a/2', 'a/3', undefined, 'b/5', undefined]);
  });

  it('refuses a person beyond the bound on what waits of one person, wherever they ask from', async () => {
    const { ask, end } = aQueue({ waitingPerPerson: 1 });
    const all = Promise.all(['a/1', 'a/1', 'a/1', 'b/1', 'a/2'].map((caller) => ask(caller)));
    await end(4);
    expect(await all).toEqual(['a/1', 'a/1', undefined, undefined, 'a/2']);
  });

  it('does no work for those who are gone, and gives their places to others', async () => {
    const { started, ask, end } = aQueue({ waiting: 2 });
    let gone = false;
    const leaving = ['a/1', 'a/2', 'a/3'].map((caller) => ask(caller, () => gone));
    await end(0);
    gone = true;
    const all = Promise.all([...leaving, ask('a/4'), ask('b/5')]);
    await end(3);
    expect(await all).toEqual(['a/1', undefined, undefined, 'a/4', 'b/5']);
    expect(started).toEqual(['a/1', 'a/4', 'b/5']);
  });

  it('passes over those who are gone by their turn', async () => {
    const { ask, end } = aQueue({});
    let gone = false;
    const all = Promise.all([ask('a/1'), ask('a/2', () => gone), ask('a/3')]);
    await end(0);
    gone = true;
    await end(2);
    expect(await all).toEqual(['a/1', undefined, 'a/3']);
  });

  it('goes on after work that fails, and returns what work returns', async () => {
    const { queue } = aQueue({});
    const caller = { address: 'a', userId: '1' };
    await expect(queue.run(caller, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await queue.run(caller, async () => 7)).toBe(7);
  });
});
