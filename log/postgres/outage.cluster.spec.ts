import { either } from 'fp-ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import type { OwnServices } from '../../services/port.ts';
import { privateServices } from '../../services/private.ts';
import type { EventLog } from '../port.ts';
import { batch, stored } from '../testing.ts';
import { openPostgresEventLog } from './event-log.ts';

/** Ten times as fast, so that the nine seconds for which a commit is tried again pass in one. */
const clock = { ...systemClock, monotonic: () => 10 * systemClock.monotonic() };

let own: OwnServices;
let log: EventLog;

beforeEach(async () => {
  own = await privateServices();
  await own.start('postgres');
  log = await openPostgresEventLog({ clock, url: own.urls.postgres });
});
afterEach(async () => {
  await log?.close();
  await own.destroy();
});

it('a killed server never counts as an answer, and once restarted continues where it was', async () => {
  stored(await log.append(batch('channel-1', 0, 2)));
  await own.kill('postgres');
  // The first may still have been sent on the connection that died.
  const kinds = [await log.append(batch('channel-1', 2, 1)), await log.append(batch('channel-2', 0, 1))].map(
    (refusal) => either.isLeft(refusal) && refusal.left.kind,
  );
  expect(kinds).toEqual([expect.stringMatching(/^(unknown|unavailable)$/), 'unavailable']);
  await own.start('postgres');
  stored(await log.append(batch('channel-1', 2, 1)));
  const { events } = await log.rawAll({ after: 0, limit: 10 });
  expect(events.map(({ stream, sequence }) => `${stream} ${sequence}`)).toEqual([
    'channel-1 1',
    'channel-1 2',
    'channel-1 3',
  ]);
});
