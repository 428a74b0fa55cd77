/** What must be known before the sealed texts of a page can be opened: whose keys are still there, and what was deleted. */
import type { KeyObject } from 'node:crypto';
import type { LogReader, StoredEvent } from '../../log/port.ts';
import type { Views } from '../../projections/port.ts';
import type { TimelineReader } from '../../projections/timelines/port.ts';
import type { KeyRing } from '../../vault/key-ring.ts';
import { authorOf, type Lines, messageIdOf, type ReplayPage, sealedAt } from './page.ts';

export interface ReplayDeps {
  readonly log: LogReader;
  readonly views: Pick<Views, 'whenProcessed'> & { readonly timelines: Pick<TimelineReader, 'deletedAmong'> };
  readonly keys: Pick<KeyRing, 'load' | 'cached'>;
  /** Opens a page on another thread; on this one unless given. */
  readonly render?: (page: ReplayPage) => Promise<Lines>;
}

/** How long a replay waits for the views, which know what was deleted. */
export const VIEWS_WAIT_MS = 5000;

export class ViewsBehind extends Error {
  constructor() {
    super('the views do not know yet what has been deleted');
  }
}

const CHANNEL = 'channel-';

const NOTHING = { keys: new Map<string, KeyObject>(), deleted: new Set<string>() };

/** @throws ViewsBehind when the views do not reach the log's head in time */
export const knowledgeFor = async (
  { log, views, keys: ring }: ReplayDeps,
  events: readonly StoredEvent[],
): Promise<Pick<ReplayPage, 'keys' | 'deleted'>> => {
  const authors = new Set<string>();
  const messages = new Map<string, string[]>();
  for (const { stream, data } of events) {
    const start = sealedAt(data);
    if (start < 0) continue;
    authors.add(authorOf(data, start));
    if (!stream.startsWith(CHANNEL)) continue;
    const ids = messages.get(stream);
    if (ids === undefined) messages.set(stream, [messageIdOf(data)]);
    else ids.push(messageIdOf(data));
  }
  if (authors.size === 0) return NOTHING;

  if (!(await views.whenProcessed(await log.head(), VIEWS_WAIT_MS))) throw new ViewsBehind();
  const deleted = new Set<string>();
  for (const [stream, ids] of messages) {
    for (const id of await views.timelines.deletedAmong(stream.slice(CHANNEL.length), ids)) deleted.add(id);
  }
  await ring.load([...authors]);
  const keys = new Map<string, KeyObject>();
  for (const author of authors) {
    const key = ring.cached(author);
    if (key) keys.set(author, key);
  }
  return { keys, deleted };
};
