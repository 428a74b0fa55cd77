/** The event log with its appends counted, timed and traced. */

import { either } from 'fp-ts';
import type { EventLog } from '../log/port.ts';
import type { Clock } from '../schemas/clock.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Span, Spans } from '../telemetry/spans.ts';

type Append = EventLog['append'];

/** One append may store the decisions of several requests. Each request's trace gets its own span of the append. */
const tracedAppend =
  (append: Append, spans: Spans): Append =>
  async (request) => {
    const begun = new Map<string, { readonly first: number; readonly span: Span | undefined }>();
    const about = { 'parley.stream': request.stream, 'parley.batch': request.events.length };
    for (const [first, event] of request.events.entries()) {
      const { traceparent } = event;
      if (traceparent === null || begun.has(traceparent)) continue;
      begun.set(traceparent, { first, span: spans.step('append', event, about) });
    }
    try {
      const outcome = await append(request);
      for (const { first, span } of begun.values()) {
        if (either.isRight(outcome)) span?.end({ 'parley.position': outcome.right[first]!.position });
        else span?.end({ 'parley.refused': outcome.left.kind }, outcome.left.kind !== 'conflict');
      }
      return outcome;
    } catch (failure) {
      for (const { span } of begun.values()) span?.end({}, true);
      throw failure;
    }
  };

/** @param spans absent where nothing is traced */
export const meteredLog = (log: EventLog, metrics: Metrics, clock: Clock, spans?: Spans): EventLog => {
  const append: Append = async (request) => {
    const began = clock.monotonic();
    const outcome = await log.append(request);
    metrics.appendSeconds.observe((clock.monotonic() - began) / 1000);
    if (either.isRight(outcome)) metrics.appendedEvents.inc(outcome.right.length);
    return outcome;
  };
  const metered = { append: spans === undefined ? append : tracedAppend(append, spans) };
  // Everything else is delegated to the log, including its current epoch.
  return Object.setPrototypeOf(metered, log) as EventLog;
};
