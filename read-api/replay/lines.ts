/**
 * Events as lines of text, sealed as they are stored. Serialised by hand because a replay spends most of its time here.
 */
import type { KeyObject } from 'node:crypto';
import type { StoredEvent } from '../../log/port.ts';
import { openTexts, type SealedText } from '../../vault/opening.ts';

/** A page of events before its text is opened. It holds everything that opening needs, so another thread can do it. */
export interface ReplayPage extends SealedLines {
  /** Keys by person. The text of a person without a key can no longer be read. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Messages that must not be opened. */
  readonly deleted: ReadonlySet<string>;
}

/** Lines that are complete except for sealed text. Bytes go to another thread and come back without a copy. */
export interface SealedLines {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** For each sealed part three offsets: of its event, where it begins, and where it ends. */
  readonly parts: Int32Array<ArrayBuffer>;
}

/** Whom and what a page's sealed text is about. */
export interface Sealings {
  readonly authors: ReadonlySet<string>;
  /** Ids of the messages whose text is in the page, by channel. */
  readonly messages: ReadonlyMap<string, readonly string[]>;
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
const sealedAt = (json: string, from = 0): number => json.indexOf(SEALED, from);
/** Whether the sealed part is the reason of an act. */
const isReason = (json: string, start: number): boolean => json.endsWith(REASON, start);
const sealedEnd = (json: string, start: number): number => json.indexOf('}', start) + 1;
const authorOf = (json: string, start: number): string => plainField(json, 'by', start);
const boxOf = (json: string, start: number): string => plainField(json, 'box', start);
const messageIdOf = (json: string, from = 0): string => plainField(json, 'messageId', from);

const TEXT = Buffer.from('"text":');
const NOTHING = Buffer.from('null');
const EMPTY = Buffer.from('{"content":"","embeds":[]}');

/** What is opened under one key, and to which of the parts it belongs. */
interface OneAuthor {
  readonly parts: number[];
  readonly texts: SealedText[];
}

/** What replaces each sealed part: JSON, inserted as it is. */
const openedParts = (bytes: Buffer, { parts, keys, deleted }: ReplayPage): Uint8Array[] => {
  const opened: Uint8Array[] = [];
  const authors = new Map<string, OneAuthor>();
  for (let i = 0; i < parts.length; i += 3) {
    const event = bytes.toString('utf8', parts[i], parts[i + 1]);
    const isDeleted = deleted.size > 0 && !isReason(event, event.length) && deleted.has(messageIdOf(event));
    opened.push(isDeleted ? EMPTY : NOTHING);
    if (isDeleted) continue;
    const sealed = bytes.toString('latin1', parts[i + 1], parts[i + 2]);
    const by = authorOf(sealed, 0);
    if (!keys.has(by)) continue;
    const author = authors.get(by) ?? { parts: [], texts: [] };
    authors.set(by, author);
    author.parts.push(i / 3);
    const place = { stream: plainField(event, 'stream', 0), eventId: plainField(event, 'id', 0) };
    author.texts.push({ place, sealed: { by, box: boxOf(sealed, 0) } });
  }
  for (const [by, author] of authors) {
    const texts = openTexts(keys.get(by)!, author.texts);
    for (const [i, part] of author.parts.entries()) opened[part] = texts[i] ?? NOTHING;
  }
  return opened;
};

/**
 * The page's lines with their text opened. `text` replaces `sealed`: the opened text, `null` if the author's key is
 * gone or the box is damaged, or an empty message if it was deleted. They are in the page's own bytes, since a text is shorter
 * than its box.
 */
export const openedLines = (page: ReplayPage): Uint8Array<ArrayBuffer> => {
  const { parts } = page;
  const bytes = Buffer.from(page.bytes.buffer, page.bytes.byteOffset, page.bytes.length);
  let end = 0;
  let done = 0;
  for (const [i, text] of openedParts(bytes, page).entries()) {
    const [start, partEnd] = [parts[i * 3 + 1]!, parts[i * 3 + 2]!];
    bytes.copyWithin(end, done, start);
    end += start - done;
    done = partEnd;
    bytes.set(TEXT, end);
    end += TEXT.length;
    // What is shorter than an empty message was never a box.
    const fitting = end + text.length <= done ? text : NOTHING;
    bytes.set(fitting, end);
    end += fitting.length;
  }
  bytes.copyWithin(end, done);
  return bytes.subarray(0, end + bytes.length - done);
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

const CHANNEL = 'channel-';

/** Puts each event on its own line, and tells what must be known to open what is sealed in them. */
export const sealedLines = (events: readonly StoredEvent[], { format, ids }: LineForm): SealedLines & Sealings => {
  const lines: string[] = [];
  const parts: number[] = [];
  const authors = new Set<string>();
  const messages = new Map<string, string[]>();
  let length = 0;
  for (const event of events) {
    const before = format === 'ndjson' ? '' : `id: ${event[ids]}\nevent: ${event.type}\ndata: `;
    const after = format === 'ndjson' ? '\n' : '\n\n';
    const line = `${before}${lineOf(event)}${after}`;
    const data = line.length - after.length - '}'.length - event.data.length;
    const bytes = Buffer.byteLength(line);
    const offset = bytes === line.length ? (at: number) => at : (at: number) => Buffer.byteLength(line.slice(0, at));
    const first = sealedAt(line, data);
    for (let start = first, end = 0; start >= 0; start = sealedAt(line, end)) {
      end = sealedEnd(line, start);
      authors.add(authorOf(line, start));
      parts.push(length + before.length, length + offset(start), length + offset(end));
    }
    if (first >= 0 && event.stream.startsWith(CHANNEL) && !isReason(line, first)) {
      const channelId = event.stream.slice(CHANNEL.length);
      const said = messages.get(channelId);
      const messageId = messageIdOf(line, data);
      if (said === undefined) messages.set(channelId, [messageId]);
      else said.push(messageId);
    }
    lines.push(line);
    length += bytes;
  }
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const line of lines) at += bytes.write(line, at);
  return { bytes, parts: Int32Array.from(parts), authors, messages };
};

/** Keeps an idle connection from looking dead. */
export const KEEP_ALIVE = { ndjson: '\n', sse: ':\n\n' } as const;
