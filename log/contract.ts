/** The contract of every event log, whatever the store. */

import { afterEach, beforeEach, describe } from 'vitest';
import { appendingContract } from './appending.contract.ts';
import type { EventLog } from './port.ts';
import { readingContract } from './reading.contract.ts';
import { tailingContract } from './tailing.contract.ts';
import type { OpenedLog } from './testing.ts';

export const eventLogContract = (name: string, open: () => Promise<OpenedLog>) =>
  describe(`${name} is an event log`, () => {
    let opened: OpenedLog;
    let log: EventLog;
    const fixture = {
      get log() {
        return log;
      },
      open,
      async reopen() {
        log = await opened.reopen();
        return log;
      },
    };
    beforeEach(async () => {
      opened = await open();
      log = opened.log;
    });
    afterEach(() => opened.dispose());

    appendingContract(fixture);
    readingContract(fixture);
    tailingContract(fixture);
  });
