import { expect, it } from 'vitest';
import { Together } from './batcher.ts';

const answering = () => {
  const asked: (readonly string[])[] = [];
  const settle: { resolve: (answer: number) => void; reject: (failure: Error) => void }[] = [];
  const together = new Together<string, number>((wanted) => {
    asked.push(wanted);
    return new Promise((resolve, reject) => settle.push({ resolve, reject }));
  });
  return { together, asked, settle };
};
const turn = () => new Promise((next) => setImmediate(next));

it('asks once for what is wanted at once, and again for what came while it asked', async () => {
  const { together, asked, settle } = answering();
  const first = [together.with('a'), together.with('b')];
  await turn();
  const second = [together.with('c'), together.with('d')];
  await turn();
  expect(asked).toEqual([['a', 'b']]);
  settle[0]!.resolve(1);
  expect(await Promise.all(first)).toEqual([1, 1]);
  await turn();
  expect(asked).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  settle[1]!.resolve(2);
  expect(await Promise.all(second)).toEqual([2, 2]);
});

it('fails for those who went together, and goes on with the others', async () => {
  const { together, settle } = answering();
  const first = Promise.allSettled([together.with('a'), together.with('b')]);
  await turn();
  const second = together.with('c');
  settle[0]!.reject(new Error('gone'));
  expect((await first).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await turn();
  settle[1]!.resolve(2);
  expect(await second).toBe(2);
});
