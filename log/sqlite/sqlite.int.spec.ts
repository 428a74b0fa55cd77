import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../schemas/clock.ts';
import { eventLogContract } from '../contract.ts';
import { openSqliteEventLog } from './event-log.ts';

/** `recentEvents` is smaller than what the contract appends, so tails read from disk as well as from memory. */
const open = (recentEvents: number) => async () => {
  const directory = mkdtempSync(join(tmpdir(), 'parley-log-'));
  let log = await openSqliteEventLog({ clock: systemClock, directory, recentEvents });
  return {
    log,
    async reopen() {
      await log.close();
      log = await openSqliteEventLog({ clock: systemClock, directory, recentEvents });
      return log;
    },
    async dispose() {
      await log.close();
      rmSync(directory, { recursive: true });
    },
  };
};

eventLogContract('SQLite', open(20_000));
eventLogContract('SQLite with little memory', open(100));
