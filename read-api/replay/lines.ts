/** Events as lines of text. Written by hand because this is what a replay spends its time on. */
import type { StoredEvent } from '../../log/port.ts';
import { openText } from '../../vault/seal.ts';
import { authorOf, boxOf, messageIdOf, type ReplayPage, sealedAt, sealedEnd } from './page.ts';

const EMPTY = '{"content":"","embeds":[]}';

/** What was sealed, which is JSON itself and put in place as it is. */
const textOf = ({ keys, deleted }: ReplayPage, { stream, id, data }: StoredEvent, start: number): string => {
  if (deleted.size > 0 && deleted.has(messageIdOf(data))) return EMPTY;
  const by = authorOf(data, start);
  return openText(keys.get(by), { stream, eventId: id }, { by, box: boxOf(data, start) }) ?? 'null';
};

/** The event's data as JSON, `sealed` replaced by `text`. */
const opened = (page: ReplayPage, event: StoredEvent): string => {
  const { data } = event;
  const start = sealedAt(data);
  if (start < 0) return data;
  return `${data.slice(0, start)}"text":${textOf(page, event, start)}${data.slice(sealedEnd(data, start))}`;
};

let second = Number.NaN;
let upToSecond = '';

/** `new Date(ms).toISOString()`; neighbouring events share the part up to the second. */
const isoTime = (ms: number): string => {
  const whole = Math.floor(ms / 1000);
  if (whole !== second) {
    upToSecond = new Date(whole * 1000).toISOString().slice(0, -4);
    second = whole;
  }
  return `${upToSecond}${String(ms - whole * 1000).padStart(3, '0')}Z`;
};

const quoted = (text: string | null): string => (text === null ? 'null' : JSON.stringify(text));

const lineOf = (event: StoredEvent, data: string): string =>
  `{"position":${event.position},"stream":${quoted(event.stream)},"sequence":${event.sequence},"type":"${event.type}",` +
  `"schema":${event.schema},"time":"${isoTime(event.time)}","id":"${event.id}","actor":"${event.actor}",` +
  `"key":${quoted(event.key)},"correlationId":${quoted(event.correlationId)},` +
  `"causationId":${quoted(event.causationId)},"traceparent":${quoted(event.traceparent)},"data":${data}}`;

/**
 * The page as text. `text` stands in place of `sealed`: what was sealed, `null` where the author's key is gone or the
 * box is damaged, an empty message where it was deleted.
 */
export const linesOf = (page: ReplayPage): string => {
  const { format, ids, events } = page;
  let lines = '';
  for (const event of events) {
    const line = lineOf(event, opened(page, event));
    lines += format === 'ndjson' ? `${line}\n` : `id: ${event[ids]}\nevent: ${event.type}\ndata: ${line}\n\n`;
  }
  return lines;
};

/** Keeps a connection without events from looking dead. */
export const KEEP_ALIVE = { ndjson: '\n', sse: ':\n\n' } as const;
