/** Helpers for specs of archives. */

import { either } from 'fp-ts';
import type { EventLog } from '../../log/port.ts';

/** A log that accepts the given number of batches and then fails. */
export const failingAfter = (log: EventLog, batches: number): EventLog => {
  let left = batches;
  return new Proxy(log, {
    get: (target, name, receiver) =>
      name === 'append'
        ? async (request: Parameters<EventLog['append']>[0]) => {
            left -= 1;
            return left >= 0 ? target.append(request) : either.left({ kind: 'unavailable', reason: 'gone' });
          }
        : Reflect.get(target, name, receiver),
  });
};
