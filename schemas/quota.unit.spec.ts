import { expect, it } from 'vitest';
import { Quota } from './quota.ts';

it('a quota has room for so many in all and for so many of each key', () => {
  const quota = new Quota(3, 2);
  expect(['a', 'a', 'a', 'b', 'b', 'c'].map((key) => quota.take(key))).toEqual([true, true, false, true, false, false]);
  quota.giveBack('a');
  expect([quota.take('b'), quota.take('a')]).toEqual([true, false]);
  for (const key of ['a', 'b', 'b']) quota.giveBack(key);
  expect([quota.take('c'), quota.take('c'), quota.take('c')]).toEqual([true, true, false]);
});
