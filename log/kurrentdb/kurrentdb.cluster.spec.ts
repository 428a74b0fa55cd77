import { randomBytes } from 'node:crypto';
import { describe, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { eventLogContract } from '../contract.ts';
import { openKurrentEventLog } from './event-log.ts';
import { partOf } from './shared.testing.ts';

const url = process.env.PARLEY_TEST_KURRENTDB;

// A server cannot be emptied between tests, so each test uses its own streams.
if (url !== undefined)
  eventLogContract('KurrentDB', async () => {
    const own = `channel-t${randomBytes(6).toString('hex')}-`;
    const whole = await openKurrentEventLog({ clock: systemClock, url });
    const base = await whole.head();
    let log = partOf(whole, own, base);
    return {
      log,
      async reopen() {
        await log.close();
        log = partOf(await openKurrentEventLog({ clock: systemClock, url }), own, base);
        return log;
      },
      dispose: () => log.close(),
    };
  });
else
  describe('KurrentDB', () => {
    it.skip('NOT TESTED on a real server: there is none; PARLEY_TEST_KURRENTDB=esdb://... names one', () => {});
  });
