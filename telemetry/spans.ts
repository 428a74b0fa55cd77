/**
 * OpenTelemetry spans: the steps of a request, up to the sockets that receive its events. This is the only file that
 * knows the SDK, which is loaded only when tracing is on. ADR 12 describes how spans are linked.
 */

import { hostname } from 'node:os';
import type { Attributes, Span as OtelSpan, SpanContext, SpanOptions } from '@opentelemetry/api';
import type { ExportResult } from '@opentelemetry/core';
import type { SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { type Clock, within } from '../schemas/clock.ts';
import { traceparentOf } from '../schemas/codecs.ts';

/** Spans that may wait to be sent; more are dropped. About 1 KB each. */
const QUEUE = 4096;
const BATCH = 512;
const SEND_EVERY_MS = 1000;
/** A receiver that has not answered with its whole body within this time loses the batch. */
const SEND_MS = 5000;
/** Spans left when the process stops are sent within this time, or not at all. */
const FLUSH_MS = 2000;

/** The SDK's codes of an export's outcome, as numbers so that they do not load it. */
const SUCCESS = 0;
const FAILED = 1;

/** Why a span never reached the receiver: the queue was full, or the receiver did not accept it. */
type DropReason = 'queue' | 'receiver';

interface SpansOptions {
  /** The receiver's full URL: OTLP over HTTP. */
  readonly url: string;
  /** Share of requests that are traced, 0 to 1, if the caller does not say. */
  readonly ratio: number;
  /** What this process does: `embedded`, or its roles. */
  readonly roles: string;
  /** @param why what the receiver said, or why it could not be asked */
  readonly onDropped: (spans: number, reason: DropReason, why?: string) => void;
  readonly clock: Clock;
}

/** The span of its request that an event or a cause carries, in W3C's form. */
interface Traced {
  readonly traceparent: string | null;
}

/** The cause of a command; for a command given by a process it has the id of an event. */
interface TracedCause extends Traced {
  readonly causationId: string | null;
}

interface TracedEvent extends Traced {
  readonly position: number;
}

export interface Span {
  /** In W3C's form, as stored with the request's events. */
  readonly traceparent: string;
  /** @param failed whether it is the server's fault */
  end(attributes?: Attributes, failed?: boolean): void;
}

export interface Spans {
  /** A client's request. @param caller its `traceparent`; a malformed one counts as none */
  request(caller: unknown, attributes: Attributes): Span;
  /** A step before the log. `undefined` if the request is not traced. */
  step(name: string, cause: TracedCause, attributes: Attributes): Span | undefined;
  /** A step after the log: one span in the trace of each traced event. Nothing waits for spans. */
  behind<T>(name: string, events: readonly TracedEvent[], attributes: Attributes, work: () => Promise<T>): Promise<T>;
  /** Sends the remaining spans, within two seconds. Never rejects. */
  close(): Promise<void>;
}

/**
 * Counts dropped spans, which the SDK does not report. It also ends an export after `SEND_MS`: the exporter's own
 * timeout begins again with every byte of an answer.
 */
const counted = (exporter: SpanExporter, clock: Clock, onDropped: SpansOptions['onDropped']) => {
  let waiting = 0;
  return {
    exporter: {
      export: (spans, done) => {
        waiting -= spans.length;
        let ended = false;
        const end = (result: ExportResult): void => {
          if (ended) return;
          ended = true;
          cancel();
          if (result.code !== SUCCESS) onDropped(spans.length, 'receiver', result.error?.message);
          done(result);
        };
        const cancel = clock.setTimer(SEND_MS, () =>
          end({ code: FAILED, error: new Error('the answer takes too long') }),
        );
        exporter.export(spans, end);
      },
      shutdown: () => exporter.shutdown(),
    } satisfies SpanExporter,
    before: (processor: SpanProcessor): SpanProcessor => ({
      onStart: () => {},
      onEnd: (span) => {
        if (waiting >= QUEUE) return onDropped(1, 'queue');
        waiting += 1;
        processor.onEnd(span);
      },
      forceFlush: () => processor.forceFlush(),
      shutdown: () => processor.shutdown(),
    }),
  };
};

export const openSpans = async ({ url, ratio, roles, onDropped, clock }: SpansOptions): Promise<Spans> => {
  const [
    { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace },
    { parseTraceParent },
    { resourceFromAttributes },
    sdk,
    otlp,
  ] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  const { exporter, before } = counted(new otlp.OTLPTraceExporter({ url, timeoutMillis: SEND_MS }), clock, onDropped);
  const sending = new sdk.BatchSpanProcessor(exporter, {
    maxQueueSize: QUEUE,
    maxExportBatchSize: BATCH,
    scheduledDelayMillis: SEND_EVERY_MS,
    exportTimeoutMillis: 2 * SEND_MS,
  });
  const byRatio = new sdk.TraceIdRatioBasedSampler(ratio);
  const byParent = new sdk.ParentBasedSampler({ root: byRatio });
  const random = new sdk.RandomIdGenerator();
  /** The trace that the next span without a parent belongs to. */
  let joined: string | undefined;
  const provider = new sdk.BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'parley',
      'service.instance.id': `${hostname()}:${process.pid}`,
      'parley.roles': roles,
    }),
    sampler: {
      shouldSample: (...asked) =>
        // A span after the log begins only for a traced event.
        joined === undefined ? byParent.shouldSample(...asked) : { decision: sdk.SamplingDecision.RECORD_AND_SAMPLED },
      toString: () => 'parley',
    },
    idGenerator: { generateTraceId: () => joined ?? random.generateTraceId(), generateSpanId: random.generateSpanId },
    spanProcessors: [before(sending)],
  });
  const tracer = provider.getTracer('parley');

  const contextOf = (traceparent: unknown): SpanContext | undefined =>
    parseTraceParent(traceparentOf(traceparent) ?? '') ?? undefined;

  const tracedBy = (traceparent: string | null): SpanContext | undefined => {
    const context = contextOf(traceparent);
    return context !== undefined && (context.traceFlags & 1) === 1 ? context : undefined;
  };

  const child = (name: string, parent: SpanContext | undefined, options: SpanOptions): OtelSpan =>
    tracer.startSpan(name, options, parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent));

  /** In the trace of the request it follows, but not its child: the request does not wait for it. */
  const follower = (name: string, followed: SpanContext, attributes: Attributes): OtelSpan => {
    joined = followed.traceId;
    try {
      return tracer.startSpan(name, { attributes, links: [{ context: followed }] }, ROOT_CONTEXT);
    } finally {
      joined = undefined;
    }
  };

  const spanOf = (span: OtelSpan): Span => {
    const { traceId, spanId, traceFlags } = span.spanContext();
    return {
      traceparent: `00-${traceId}-${spanId}-0${traceFlags & 1}`,
      end: (attributes, failed = false) => {
        if (attributes !== undefined) span.setAttributes(attributes);
        if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  };

  return {
    request: (caller, attributes) => spanOf(child('request', contextOf(caller), { kind: SpanKind.SERVER, attributes })),
    step: (name, { traceparent, causationId }, attributes) => {
      const context = tracedBy(traceparent);
      if (context === undefined) return undefined;
      return spanOf(causationId === null ? child(name, context, { attributes }) : follower(name, context, attributes));
    },
    behind: async (name, events, attributes, work) => {
      const spans = events.flatMap(({ traceparent, position }) => {
        const context = tracedBy(traceparent);
        if (context === undefined) return [];
        const own = { ...attributes, 'parley.position': position, 'parley.batch': events.length };
        return [follower(name, context, own)];
      });
      try {
        return await work();
      } catch (failure) {
        for (const span of spans) span.setStatus({ code: SpanStatusCode.ERROR });
        throw failure;
      } finally {
        for (const span of spans) span.end();
      }
    },
    close: async () => {
      const sent = provider.shutdown().catch(() => {});
      await within(clock, FLUSH_MS, sent);
    },
  };
};
