/** The short form of `test/chaos/kurrentdb.chaos.ts`. */

import { expect, it } from 'vitest';
import { troubledProcess } from './troubled-process.testing.ts';

it('a process outlives connections that are cut, frozen and thawed, loses and doubles nothing, and ends by itself', async () => {
  const left = await troubledProcess(60, 8, true);
  expect(left).toMatchObject({ code: 0, errors: '', wrong: [] });
  expect(left.acknowledged).toBeGreaterThan(0);
});
