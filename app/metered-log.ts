/** The event log with its appends counted, timed and traced, and with a report of what cannot be read or is refused. */

import { either } from 'fp-ts';
import type { EventLog, Page, ReadAll, ReadStream, StoredPage } from '../log/port.ts';
import type { Clock } from '../schemas/clock.ts';
import { type ParleyEvent, UnreadableEvent } from '../schemas/events/catalogue.ts';
import type { Logger } from '../telemetry/logger.ts';
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

/** Passes the log's reads on, and reports each event that cannot be read once. */
const reportingReads = (log: EventLog, metrics: Metrics, logger: Logger) => {
  const reported = new Set<number>();
  const report = (failure: unknown): void => {
    if (!(failure instanceof UnreadableEvent) || reported.has(failure.event.position)) return;
    const { stream, sequence, position } = failure.event;
    reported.add(position);
    metrics.unreadableEvents.inc();
    logger.error({ err: failure, stream, sequence, position }, 'an event of the log cannot be read');
  };
  const reporting =
    <Query, Answer>(read: (query: Query) => Promise<Answer>) =>
    async (query: Query): Promise<Answer> => {
      try {
        return await read(query);
      } catch (failure) {
        report(failure);
        throw failure;
      }
    };
  const tail: EventLog['tail'] = (after, onEvents, onFailure) =>
    log.tail(after, onEvents, (failure) => {
      report(failure);
      onFailure(failure);
    });
  const rawTail: EventLog['rawTail'] = (after, onEvents, onFailure) =>
    log.rawTail(after, onEvents, (failure) => {
      report(failure);
      onFailure(failure);
    });
  return {
    readStream: reporting<ReadStream, readonly ParleyEvent[]>((query) => log.readStream(query)),
    readAll: reporting<ReadAll, Page>((query) => log.readAll(query)),
    rawAll: reporting<ReadAll, StoredPage>((query) => log.rawAll(query)),
    tail,
    rawTail,
  };
};

/** Most often that refused appends are told of: one that nobody can take is tried by everybody who waits beside it. */
const TELL_MS = 10_000;

/** Tells an operator why the log refuses appends: whoever asked for them learns only that it does. */
const reportingRefusals = (append: Append, logger: Logger, clock: Clock): Append => {
  let toldAt = Number.NEGATIVE_INFINITY;
  let untold = 0;
  return async (request) => {
    const outcome = await append(request);
    if (either.isRight(outcome) || outcome.left.kind !== 'refused') return outcome;
    const now = clock.monotonic();
    if (now - toldAt < TELL_MS) {
      untold += 1;
      return outcome;
    }
    const { stream } = request;
    logger.error({ stream, reason: outcome.left.reason, untold }, 'the event log refuses an append, and would again');
    toldAt = now;
    untold = 0;
    return outcome;
  };
};

/** @param spans absent where nothing is traced */
export const meteredLog = (log: EventLog, metrics: Metrics, logger: Logger, clock: Clock, spans?: Spans): EventLog => {
  const told = reportingRefusals((request) => log.append(request), logger, clock);
  const append: Append = async (request) => {
    const began = clock.monotonic();
    const outcome = await told(request);
    metrics.appendSeconds.observe((clock.monotonic() - began) / 1000);
    if (either.isRight(outcome)) metrics.appendedEvents.inc(outcome.right.length);
    return outcome;
  };
  const metered = {
    ...reportingReads(log, metrics, logger),
    append: spans === undefined ? append : tracedAppend(append, spans),
  };
  // Everything else is delegated to the log, including its current epoch.
  return Object.setPrototypeOf(metered, log) as EventLog;
};
