/** What must be known before the sealed texts of a page can be opened: who may still be read, and what was deleted. */
import type { LogReader, StoredEvent } from '../../log/port.ts';
import type { Views } from '../../projections/port.ts';
import type { TimelineReader } from '../../projections/timelines/port.ts';
import type { Sealed } from '../../schemas/envelope.ts';
import type { KeyRing } from '../../vault/key-ring.ts';
import { openText } from '../../vault/seal.ts';

export interface ReplayDeps {
  readonly log: LogReader;
  readonly views: Pick<Views, 'whenProcessed'> & { readonly timelines: Pick<TimelineReader, 'deletedAmong'> };
  readonly keys: Pick<KeyRing, 'load' | 'cached'>;
}

/** How long a replay waits for the views, which know what was deleted. */
export const VIEWS_WAIT_MS = 5000;

export class ViewsBehind extends Error {
  constructor() {
    super('the views do not know yet what has been deleted');
  }
}

const SEALED = '"sealed":{';
const CHANNEL = 'channel-';
const EMPTY = '{"content":"","embeds":[]}';

interface Found {
  readonly event: StoredEvent;
  readonly start: number;
  readonly end: number;
  readonly sealed: Sealed;
}

/** Value of a string field that holds nothing JSON would escape: an id, base64. */
const plainField = (json: string, name: string, from: number): string => {
  const start = json.indexOf(`"${name}":"`, from) + name.length + 4;
  return json.slice(start, json.indexOf('"', start));
};

/**
 * The sealed part of an event's data, found without parsing the rest. Inside a JSON string every quote is escaped, so
 * this text is always a field; the object has no inner one.
 */
const findSealed = (event: StoredEvent): Found | undefined => {
  const start = event.data.indexOf(SEALED);
  if (start < 0) return undefined;
  const end = event.data.indexOf('}', start) + 1;
  const sealed = { by: plainField(event.data, 'by', start), box: plainField(event.data, 'box', start) };
  return { event, start, end, sealed };
};

const messageIdOf = (data: string): string => plainField(data, 'messageId', 0);

const deletedMessages = async (
  timelines: ReplayDeps['views']['timelines'],
  sealed: readonly Found[],
): Promise<ReadonlySet<string>> => {
  const byStream = new Map<string, string[]>();
  for (const { event } of sealed) {
    if (!event.stream.startsWith(CHANNEL)) continue;
    const ids = byStream.get(event.stream);
    if (ids === undefined) byStream.set(event.stream, [messageIdOf(event.data)]);
    else ids.push(messageIdOf(event.data));
  }
  const deleted = new Set<string>();
  for (const [stream, ids] of byStream) {
    for (const id of await timelines.deletedAmong(stream.slice(CHANNEL.length), ids)) deleted.add(id);
  }
  return deleted;
};

/**
 * The events' data as JSON text, `sealed` replaced by `text`: what was sealed, `null` where the author's key is gone,
 * an empty message where it was deleted.
 * @throws ViewsBehind when the views do not reach the log's head in time
 */
export const openedData = async (deps: ReplayDeps, events: readonly StoredEvent[]): Promise<readonly string[]> => {
  const { log, views, keys } = deps;
  const found = events.map(findSealed);
  const sealed = found.filter((one) => one !== undefined);
  if (sealed.length === 0) return events.map((event) => event.data);

  if (!(await views.whenProcessed(await log.head(), VIEWS_WAIT_MS))) throw new ViewsBehind();
  const deleted = await deletedMessages(views.timelines, sealed);
  await keys.load(sealed.map((one) => one.sealed.by));

  return found.map((one, i) => {
    if (one === undefined) return events[i]!.data;
    const { event, start, end } = one;
    const text = deleted.size > 0 && deleted.has(messageIdOf(event.data)) ? EMPTY : open(keys, one);
    return `${event.data.slice(0, start)}"text":${text}${event.data.slice(end)}`;
  });
};

/** What was sealed is JSON itself, so it is put in place as it is. */
const open = (keys: ReplayDeps['keys'], { event, sealed }: Found): string =>
  openText(keys.cached(sealed.by) ?? undefined, { stream: event.stream, eventId: event.id }, sealed) ?? 'null';
