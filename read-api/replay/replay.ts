/** The event log as text, page by page, as fast as the reader takes it. */
import type { KeyObject } from 'node:crypto';
import { isFull, type LogReader, type StoredEvent, type StoredPage } from '../../log/port.ts';
import type { Views } from '../../projections/port.ts';
import type { TimelineReader } from '../../projections/views/timelines/view.ts';
import { recordedAs } from '../../schemas/envelope.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { KeyRing } from '../../vault/sealing.ts';
import { KEEP_ALIVE, type LineForm, type Lines, linesOf, type ReplayPage, type Sealings, sealingsOf } from './lines.ts';
import type { ReplayOfLog, ReplayOfStream, ReplayQuery } from './query.ts';

/** What opening the sealed texts of a page requires: the keys that still exist, and the deleted messages. */
export interface ReplayDeps {
  readonly log: LogReader;
  readonly views: Pick<Views, 'whenProcessed'> & { readonly timelines: Pick<TimelineReader, 'deletedAmong'> };
  readonly keys: Pick<KeyRing, 'load' | 'cached'>;
  /** Writes a page's lines on another thread. If absent, this thread does it. */
  readonly render?: (page: ReplayPage) => Promise<Lines>;
}

/** How long a replay waits for the views, which know the deletions. */
export const VIEWS_WAIT_MS = 5000;

class ViewsBehind extends Error {
  constructor() {
    super('the views do not know yet what has been deleted');
  }
}

const NOTHING = { keys: new Map<string, KeyObject>(), deleted: new Set<string>() };

/** @throws ViewsBehind when the views do not reach the log's head in time */
const knowledgeFor = async (
  { log, views, keys: ring }: ReplayDeps,
  { authors, messages }: Sealings,
): Promise<Pick<ReplayPage, 'keys' | 'deleted'>> => {
  if (authors.size === 0) return NOTHING;
  if (!(await views.whenProcessed(await log.head(), VIEWS_WAIT_MS))) throw new ViewsBehind();
  const deleted = new Set<string>();
  for (const [channelId, ids] of messages) {
    for (const id of await views.timelines.deletedAmong(channelId, ids)) deleted.add(id);
  }
  await ring.load([...authors]);
  const keys = new Map<string, KeyObject>();
  for (const author of authors) {
    const key = ring.cached(author);
    if (key) keys.set(author, key);
  }
  return { keys, deleted };
};

/**
 * One page is one turn of the event loop: large enough to be fast, small enough not to delay other requests noticeably.
 */
const EVENTS_PER_PAGE = 1000;

/** Pages that are written while the next one is read, so that both threads always have work. */
const PAGES_AHEAD = 3;

/** How often an idle follower wakes up to notice that its reader has gone. */
const FOLLOW_WAIT_MS = 1000;
const KEEP_ALIVE_WAITS = 15;

const render = async (
  deps: ReplayDeps,
  { until = Number.POSITIVE_INFINITY, types, format }: ReplayQuery,
  page: readonly StoredEvent[],
  ids: LineForm['ids'],
): Promise<Lines> => {
  const events = page.filter(
    (event) => event.time <= until && (types === undefined || (types as readonly string[]).includes(event.type)),
  );
  if (events.length === 0) return '';
  const known = await knowledgeFor(deps, sealingsOf(events));
  return (deps.render ?? linesOf)({ events, form: { format, ids }, ...known });
};

/** Pages that are being written, in order. */
class Ahead {
  private readonly pages: Promise<Lines>[] = [];

  begin(page: Promise<Lines>): void {
    // A reader that has stopped does not await this page any more.
    page.catch(() => {});
    this.pages.push(page);
  }

  /** Yields the oldest pages until at most `ahead` remain. */
  async *beyond(ahead: number): AsyncGenerator<Lines> {
    while (this.pages.length > ahead) yield await this.pages.shift()!;
  }
}

const asStored = (event: ParleyEvent): StoredEvent => recordedAs(event, event.position, JSON.stringify(event.data));

async function* ofStream(deps: ReplayDeps, query: ReplayQuery & ReplayOfStream): AsyncGenerator<Lines> {
  const { stream, to = Number.MAX_SAFE_INTEGER } = query;
  let next = Math.max(1, query.from ?? 1);
  const ahead = new Ahead();
  while (next <= to) {
    const limit = Math.min(EVENTS_PER_PAGE, to - next + 1);
    const events = await deps.log.readStream({ stream, from: next, limit });
    ahead.begin(render(deps, query, events.map(asStored), 'sequence'));
    yield* ahead.beyond(PAGES_AHEAD);
    if (!isFull(events, limit)) break;
    next = events.at(-1)!.sequence + 1;
  }
  yield* ahead.beyond(0);
}

/** Waits for events after `position`, and sends an occasional keep-alive to the reader. */
async function* nextEvents(deps: ReplayDeps, { format }: ReplayQuery, position: number): AsyncGenerator<string> {
  for (let waits = 1; !(await deps.views.whenProcessed(position + 1, FOLLOW_WAIT_MS)); waits += 1) {
    yield waits % KEEP_ALIVE_WAITS === 0 ? KEEP_ALIVE[format] : '';
  }
}

async function* ofLog(deps: ReplayDeps, query: ReplayQuery & ReplayOfLog): AsyncGenerator<Lines> {
  const { to = Number.MAX_SAFE_INTEGER, prefix, types, follow = false } = query;
  const filters = { ...(prefix === undefined ? {} : { prefix }), ...(types === undefined ? {} : { types }) };
  let { after } = query;
  const ahead = new Ahead();
  for (;;) {
    const page: StoredPage = await deps.log.rawAll({ after, limit: EVENTS_PER_PAGE, ...filters });
    const events = page.through <= to ? page.events : page.events.filter((event) => event.position <= to);
    ahead.begin(render(deps, query, events, 'position'));
    yield* ahead.beyond(PAGES_AHEAD);
    after = page.through;
    const atHead = !isFull(page.events, EVENTS_PER_PAGE);
    if (after >= to || (atHead && !follow)) break;
    if (atHead) {
      yield* ahead.beyond(0);
      yield* nextEvents(deps, query, after);
    }
  }
  yield* ahead.beyond(0);
}

/**
 * The requested events, in order, as batches of whole lines, some of them empty. Few pages are read ahead, so a slow
 * reader slows the reading down.
 * @throws ViewsBehind when the deletions are not known in time
 */
export const replayLines = (deps: ReplayDeps, query: ReplayQuery): AsyncGenerator<Lines> =>
  'stream' in query ? ofStream(deps, query) : ofLog(deps, query);
