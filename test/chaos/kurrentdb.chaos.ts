/** A process appends to 60 streams of KurrentDB while its connections are cut, frozen and thawed 200 times. */

import { expect, it } from 'vitest';
import { troubledProcess } from '../../log/kurrentdb/troubled-process.testing.ts';

it.each([false, true])('it loses and doubles nothing, and ends by itself (frozen at its end: %s)', async (frozen) => {
  const left = await troubledProcess(60, 200, frozen);
  process.stderr.write(`figure: acknowledged: ${left.acknowledged} events; others: ${JSON.stringify(left.failures)}\n`);
  expect(left).toMatchObject({ code: 0, errors: '', wrong: [] });
});
