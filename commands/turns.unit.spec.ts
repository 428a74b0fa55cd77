import { expect, it } from 'vitest';
import { Turns } from './turns.ts';

const present = () => false;

/** Work of which a spec decides when it ends. */
const works = () => {
  const done: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => () =>
    new Promise<string>((resolve) => {
      done.push(name);
      ends.push(() => resolve(name));
    });
  /** Ends the oldest work, until none is left. */
  const endAll = async (of: Promise<unknown>) => {
    let over = false;
    of.finally(() => {
      over = true;
    });
    while (!over) {
      ends.shift()?.();
      await Promise.resolve();
    }
  };
  return { done, work, endAll };
};

it('carries out so many at once, and keys take turns', async () => {
  const turns = new Turns({ atOnce: 1, waiting: 10, waitingOfKey: 10 });
  const { done, work, endAll } = works();
  const asked = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map((name) => turns.take(name[0]!, present, work(name)));
  await endAll(Promise.all(asked));
  expect(done).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2']);
});

it('refuses those beyond its bounds, in all and of one key', async () => {
  const turns = new Turns({ atOnce: 1, waiting: 3, waitingOfKey: 2 });
  const { work, endAll } = works();
  const asked = ['a1', 'a2', 'a3', 'a4', 'b1', 'c1'].map((name) => turns.take(name[0]!, present, work(name)));
  const all = Promise.all(asked);
  await endAll(all);
  expect(await all).toEqual(['a1', 'a2', 'a3', undefined, 'b1', undefined]);
});

it('does no work for those who are gone, and gives their places to others', async () => {
  const turns = new Turns({ atOnce: 1, waiting: 2, waitingOfKey: 2 });
  const { done, work, endAll } = works();
  let gone = false;
  const leaving = ['a1', 'a2', 'a3'].map((name) => turns.take('a', () => gone, work(name)));
  gone = true;
  const all = Promise.all([...leaving, turns.take('a', present, work('a4')), turns.take('b', present, work('b1'))]);
  await endAll(all);
  expect(await all).toEqual(['a1', undefined, undefined, 'a4', 'b1']);
  expect(done).toEqual(['a1', 'a4', 'b1']);
});

it('goes on after work that fails', async () => {
  const turns = new Turns({ atOnce: 1, waiting: 2, waitingOfKey: 2 });
  const failing = turns.take('a', present, () => Promise.reject(new Error('no')));
  const next = turns.take('a', present, async () => 'next');
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('next');
});
