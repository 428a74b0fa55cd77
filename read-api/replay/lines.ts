/**
 * Events as lines of text, opened where they are sealed. Serialised by hand because a replay spends most of its time here.
 */
import type { KeyObject } from 'node:crypto';
import type { StoredEvent } from '../../log/port.ts';
import { openTexts, type SealedText } from '../../vault/opening.ts';

/** Events that follow each other, with everything that their lines need, so another thread can write them. */
export interface ReplayPage {
  readonly events: readonly StoredEvent[];
  readonly form: LineForm;
  /** Keys by person. The text of a person without a key can no longer be read. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Messages that must not be opened. */
  readonly deleted: ReadonlySet<string>;
}

export interface LineForm {
  /** `sse`: server-sent events, whose ids tell a reader where to continue. */
  readonly format: 'ndjson' | 'sse';
  /** What the ids of server-sent events count. */
  readonly ids: 'sequence' | 'position';
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
const MESSAGE_ID = '"messageId":"';
const BY = '"by":"';
const BOX = '"box":"';

/**
 * The value of a string field that needs no escapes in JSON (an id, base64), found without parsing the rest. Inside a JSON
 * string every quote is escaped, so `"name":"` is always a field.
 * @param field the name with its quotes, the colon and the first quote of the value
 */
const plainField = (json: string, field: string, from: number): string => {
  const start = json.indexOf(field, from) + field.length;
  return json.slice(start, json.indexOf('"', start));
};

/** Where the next sealed part begins, or -1. Its object contains no other object. */
const sealedAt = (data: string, from = 0): number => data.indexOf(SEALED, from);
/** Whether the sealed part is the reason of an act. */
const isReason = (data: string, start: number): boolean => data.endsWith(REASON, start);
const authorOf = (data: string, start: number): string => plainField(data, BY, start);

const CHANNEL = 'channel-';

/** What must be known to open what is sealed in the events. */
export const sealingsOf = (events: readonly StoredEvent[]): Sealings => {
  const authors = new Set<string>();
  const messages = new Map<string, string[]>();
  for (const { stream, data } of events) {
    const first = sealedAt(data);
    for (let start = first; start >= 0; start = sealedAt(data, start + 1)) authors.add(authorOf(data, start));
    if (first < 0 || !stream.startsWith(CHANNEL) || isReason(data, first)) continue;
    const channelId = stream.slice(CHANNEL.length);
    const messageId = plainField(data, MESSAGE_ID, 0);
    const said = messages.get(channelId);
    if (said === undefined) messages.set(channelId, [messageId]);
    else said.push(messageId);
  }
  return { authors, messages };
};

const NOTHING = 'null';
const EMPTY = '{"content":"","embeds":[]}';

/** A sealed part of an event's data, from one index to another, and the JSON that takes its place. */
interface Part {
  readonly start: number;
  readonly end: number;
  text: string;
}

/** What is opened under one key. */
interface OneAuthor {
  readonly parts: Part[];
  readonly texts: SealedText[];
}

/** Whether the part that begins at `start` is what a deleted message said. */
const isDeleted = (data: string, start: number, deleted: ReplayPage['deleted']): boolean => {
  if (deleted.size === 0 || isReason(data, start)) return false;
  const at = data.indexOf(MESSAGE_ID);
  return at >= 0 && at < start && deleted.has(plainField(data, MESSAGE_ID, at));
};

/** The sealed parts of each event, opened. */
const openedParts = ({ events, keys, deleted }: ReplayPage): Part[][] => {
  const authors = new Map<string, OneAuthor>();
  const opened = events.map(({ stream, id, data }) => {
    const parts: Part[] = [];
    for (let start = sealedAt(data), end = 0; start >= 0; start = sealedAt(data, end)) {
      end = data.indexOf('}', start) + 1;
      const part = { start, end, text: isDeleted(data, start, deleted) ? EMPTY : NOTHING };
      parts.push(part);
      const by = authorOf(data, start);
      if (part.text === EMPTY || !keys.has(by)) continue;
      const author = authors.get(by) ?? { parts: [], texts: [] };
      authors.set(by, author);
      author.parts.push(part);
      author.texts.push({ place: { stream, eventId: id }, sealed: { by, box: plainField(data, BOX, start) } });
    }
    return parts;
  });
  for (const [by, { parts, texts }] of authors) {
    const said = openTexts(keys.get(by)!, texts);
    for (let i = 0; i < parts.length; i += 1) parts[i]!.text = said[i] ?? NOTHING;
  }
  return opened;
};

/** Data with `text` in place of each `sealed`. */
const withText = (data: string, parts: readonly Part[]): string => {
  let result = '';
  let done = 0;
  for (const { start, end, text } of parts) {
    result += `${data.slice(done, start)}"text":${text}`;
    done = end;
  }
  return result + data.slice(done);
};

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

const lineOf = (event: StoredEvent, data: string): string =>
  `{"position":${event.position},"stream":${quoted(event.stream)},"sequence":${event.sequence},"type":"${event.type}",` +
  `"schema":${event.schema},"time":"${isoTime(event.time)}","id":"${event.id}","actor":"${event.actor}",` +
  `"key":${quoted(event.key)},"correlationId":${quoted(event.correlationId)},` +
  `"causationId":${quoted(event.causationId)},"traceparent":${quoted(event.traceparent)},"data":${data}}`;

/** Bytes of an event's envelope, as a rule. */
const ENVELOPE_BYTES = 450;
/** Bytes that a unit of a string takes in UTF-8, at most. */
const UNIT_BYTES = 3;

/** A buffer that grows. Each line is written at once, while it is in the processor's caches. */
class Written {
  private buffer: Buffer<ArrayBuffer>;
  private length = 0;

  /** @param expected bytes */
  constructor(expected: number) {
    this.buffer = Buffer.allocUnsafeSlow(expected);
  }

  add(text: string): void {
    const most = this.length + text.length * UNIT_BYTES;
    if (most > this.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(most, this.buffer.length * 2));
      this.buffer.copy(larger, 0, 0, this.length);
      this.buffer = larger;
    }
    this.length += this.buffer.write(text, this.length);
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.buffer.subarray(0, this.length);
  }
}

/**
 * Each event on its own line, with its text opened. `text` replaces `sealed`: the opened text, `null` if the author's key is
 * gone or the box is damaged, or an empty message if it was deleted.
 */
export const linesOf = (page: ReplayPage): Uint8Array<ArrayBuffer> => {
  const { events, form } = page;
  const { format, ids } = form;
  const parts = openedParts(page);
  let expected = 0;
  for (const event of events) expected += ENVELOPE_BYTES + event.data.length;
  const written = new Written(expected);
  for (const [i, event] of events.entries()) {
    const line = lineOf(event, withText(event.data, parts[i]!));
    written.add(format === 'ndjson' ? `${line}\n` : `id: ${event[ids]}\nevent: ${event.type}\ndata: ${line}\n\n`);
  }
  return written.bytes;
};

/** Keeps an idle connection from looking dead. */
export const KEEP_ALIVE = { ndjson: '\n', sse: ':\n\n' } as const;
