/**
 * Events as lines of text, sealed as they are stored. Serialised by hand because a replay spends most of its time here.
 */
import type { KeyObject } from 'node:crypto';
import type { StoredEvent } from '../../log/port.ts';
import { openTexts, type SealedText } from '../../vault/opening.ts';

/** A page of events before its text is opened. It holds everything that opening needs, so another thread can do it. */
export interface ReplayPage {
  /** Whole lines of text, complete except for sealed text. One string, because that travels between threads fastest. */
  readonly lines: string;
  /** Keys by person. The text of a person without a key can no longer be read. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Messages that must not be opened. */
  readonly deleted: ReadonlySet<string>;
}

/** Text, or its bytes in UTF-8. */
export type Lines = string | Uint8Array;

const SEALED = '"sealed":{';
const REASON = '"reason":{';

/**
 * The value of a string field that needs no escapes in JSON (an id, base64, a stream's name), found without parsing the
 * rest. Inside a JSON string every quote is escaped, so `"name":"` is always a field.
 */
const plainField = (json: string, name: string, from: number): string => {
  const start = json.indexOf(`"${name}":"`, from) + name.length + 4;
  return json.slice(start, json.indexOf('"', start));
};

/** Where the next sealed part begins, or -1. Its object contains no other object. */
export const sealedAt = (json: string, from = 0): number => json.indexOf(SEALED, from);
/** Whether the sealed part is the reason of an act. */
export const isReason = (json: string, start: number): boolean => json.endsWith(REASON, start);
const sealedEnd = (json: string, start: number): number => json.indexOf('}', start) + 1;
export const authorOf = (json: string, start: number): string => plainField(json, 'by', start);
const boxOf = (json: string, start: number): string => plainField(json, 'box', start);
export const messageIdOf = (json: string, from = 0): string => plainField(json, 'messageId', from);

const EMPTY = '{"content":"","embeds":[]}';

/** Where a sealed part stands in the lines of a page, and what replaces it: JSON, inserted as it is. */
interface Part {
  readonly start: number;
  readonly end: number;
  text: string;
}

/** What is opened under one key, and where it belongs. */
interface OneAuthor {
  readonly parts: Part[];
  readonly sealed: SealedText[];
}

/**
 * The page's lines with their text opened. `text` replaces `sealed`: the opened text, `null` if the author's key is
 * gone or the box is damaged, or an empty message if it was deleted.
 */
export const openedLines = ({ lines, keys, deleted }: ReplayPage): string => {
  const parts: Part[] = [];
  const authors = new Map<string, OneAuthor>();
  let line = 0;
  for (let start = sealedAt(lines), end = 0; start >= 0; start = sealedAt(lines, end)) {
    // Search forwards: `indexOf` compares word by word, `lastIndexOf` character by character.
    for (let feed = lines.indexOf('\n', end); feed >= 0 && feed < start; feed = lines.indexOf('\n', line))
      line = feed + 1;
    end = sealedEnd(lines, start);
    const part: Part = { start, end, text: 'null' };
    parts.push(part);
    if (deleted.size > 0 && !isReason(lines, start) && deleted.has(messageIdOf(lines, line))) {
      part.text = EMPTY;
      continue;
    }
    const by = authorOf(lines, start);
    if (!keys.has(by)) continue;
    const author = authors.get(by) ?? { parts: [], sealed: [] };
    authors.set(by, author);
    author.parts.push(part);
    const place = { stream: plainField(lines, 'stream', line), eventId: plainField(lines, 'id', line) };
    author.sealed.push({ place, sealed: { by, box: boxOf(lines, start) } });
  }
  for (const [by, { parts: unopened, sealed }] of authors) {
    const texts = openTexts(keys.get(by)!, sealed);
    for (let i = 0; i < unopened.length; i += 1) unopened[i]!.text = texts[i] ?? 'null';
  }
  let opened = '';
  let done = 0;
  for (const { start, end, text } of parts) {
    opened += `${lines.slice(done, start)}"text":${text}`;
    done = end;
  }
  return opened + lines.slice(done);
};

export interface LineForm {
  /** `sse`: server-sent events, whose ids tell a reader where to continue. */
  readonly format: 'ndjson' | 'sse';
  /** What the ids of server-sent events count. */
  readonly ids: 'sequence' | 'position';
}

let minute = Number.NaN;
let upToMinute = '';

/** Same as `new Date(ms).toISOString()`. Neighbouring events share the part up to the minute. */
const isoTime = (ms: number): string => {
  const whole = Math.floor(ms / 60_000);
  if (whole !== minute) {
    upToMinute = new Date(whole * 60_000).toISOString().slice(0, 17);
    minute = whole;
  }
  const rest = String(ms - whole * 60_000).padStart(5, '0');
  return `${upToMinute}${rest.slice(0, 2)}.${rest.slice(2)}Z`;
};

/** Matches text that needs no escapes in JSON. Testing takes 0.1 us less than JSON.stringify. */
const PLAIN = /^[\w:.@-]*$/;

const quoted = (text: string | null): string => {
  if (text === null) return 'null';
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
};

const lineOf = (event: StoredEvent): string =>
  `{"position":${event.position},"stream":${quoted(event.stream)},"sequence":${event.sequence},"type":"${event.type}",` +
  `"schema":${event.schema},"time":"${isoTime(event.time)}","id":"${event.id}","actor":"${event.actor}",` +
  `"key":${quoted(event.key)},"correlationId":${quoted(event.correlationId)},` +
  `"causationId":${quoted(event.causationId)},"traceparent":${quoted(event.traceparent)},"data":${event.data}}`;

/** Puts each event on its own line. */
export const sealedLines = (events: readonly StoredEvent[], { format, ids }: LineForm): string => {
  let lines = '';
  if (format === 'ndjson') for (const event of events) lines += `${lineOf(event)}\n`;
  else for (const event of events) lines += `id: ${event[ids]}\nevent: ${event.type}\ndata: ${lineOf(event)}\n\n`;
  return lines;
};

/** Keeps an idle connection from looking dead. */
export const KEEP_ALIVE = { ndjson: '\n', sse: ':\n\n' } as const;
