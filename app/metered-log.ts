/** The event log, with its appends counted and timed. */

import { either } from 'fp-ts';
import type { EventLog } from '../log/port.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export const meteredLog = (log: EventLog, metrics: Metrics): EventLog => {
  const metered: Pick<EventLog, 'append'> = {
    async append(request) {
      const began = performance.now();
      const outcome = await log.append(request);
      metrics.appendSeconds.observe((performance.now() - began) / 1000);
      if (either.isRight(outcome)) metrics.appendedEvents.inc(outcome.right.length);
      return outcome;
    },
  };
  // Everything else is the log's own, its epoch as it is at the time.
  return Object.setPrototypeOf(metered, log) as EventLog;
};
