/** Events as lines of text. Written by hand because this is what a replay spends its time on. */
import type { StoredEvent } from '../../log/port.ts';
import type { ReplayQuery } from './query.ts';

let second = Number.NaN;
let upToSecond = '';

/** `new Date(ms).toISOString()`; neighbouring events share the part up to the second. */
const isoTime = (ms: number): string => {
  const whole = Math.floor(ms / 1000);
  if (whole !== second) {
    upToSecond = new Date(whole * 1000).toISOString().slice(0, 20);
    second = whole;
  }
  return `${upToSecond}${String(ms - whole * 1000).padStart(3, '0')}Z`;
};

const quoted = (text: string | null): string => (text === null ? 'null' : JSON.stringify(text));

const json = (event: StoredEvent, data: string): string =>
  `{"position":${event.position},"stream":${quoted(event.stream)},"sequence":${event.sequence},"type":"${event.type}",` +
  `"schema":${event.schema},"time":"${isoTime(event.time)}","id":"${event.id}","actor":"${event.actor}",` +
  `"key":${quoted(event.key)},"correlationId":${quoted(event.correlationId)},` +
  `"causationId":${quoted(event.causationId)},"traceparent":${quoted(event.traceparent)},"data":${data}}`;

/**
 * @param data the events' data as JSON text, opened
 * @param idOf what `Last-Event-ID` will say of an event
 */
export const linesOf = (
  events: readonly StoredEvent[],
  data: readonly string[],
  format: ReplayQuery['format'],
  idOf: (event: StoredEvent) => number,
): string => {
  let lines = '';
  for (let i = 0; i < events.length; i += 1) {
    const event = events[i]!;
    const line = json(event, data[i]!);
    lines += format === 'ndjson' ? `${line}\n` : `id: ${idOf(event)}\nevent: ${event.type}\ndata: ${line}\n\n`;
  }
  return lines;
};

/** Keeps a connection without events from looking dead. */
export const KEEP_ALIVE = { ndjson: '\n', sse: ':\n\n' } as const;
