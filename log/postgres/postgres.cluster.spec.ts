import { expect, it } from 'vitest';
import { createDatabase } from '../../services/testing.ts';
import { eventLogContract } from '../contract.ts';
import { newEvent } from '../testing.ts';
import { openPostgresEventLog } from './event-log.ts';

eventLogContract('PostgreSQL', async () => {
  const database = await createDatabase();
  let log = await openPostgresEventLog({ url: database.url });
  return {
    log,
    async reopen() {
      await log.close();
      log = await openPostgresEventLog({ url: database.url });
      return log;
    },
    async dispose() {
      await log.close();
      await database.drop();
    },
  };
});

it('the log in PostgreSQL commits what is little no more often than each 4 ms', async () => {
  const database = await createDatabase();
  const commits: number[] = [];
  const log = await openPostgresEventLog({ url: database.url, onCommit: (events) => commits.push(events) });
  const append = (expected: number, channels: readonly number[]) =>
    Promise.all(
      channels.map((n) =>
        log.append({ stream: `channel-${n}`, expected, events: [newEvent(`channel-${n}`, expected + 1)] }),
      ),
    );
  try {
    const began = performance.now();
    for (let expected = 0; expected < 10; expected += 1) await append(expected, [1, 2, 3]);
    // Timers may be a millisecond early.
    expect(performance.now() - began).toBeGreaterThan(9 * (4 - 1));
    expect(commits).toEqual(Array.from({ length: 10 }, () => 3));
  } finally {
    await log.close();
    await database.drop();
  }
});
