/** The event log as text, page by page, as fast as it is taken. */
import type { StoredEvent, StoredPage } from '../../log/port.ts';
import { knowledgeFor, type ReplayDeps } from './knowledge.ts';
import { KEEP_ALIVE, linesOf } from './lines.ts';
import type { ReplayPage } from './page.ts';
import type { ReplayOfLog, ReplayOfStream, ReplayQuery } from './query.ts';

/** One page is one turn of the event loop: long enough to be fast, short enough not to be felt by others. */
const EVENTS_PER_PAGE = 500;

/** A follower that hears nothing looks up this often, so that it notices when its reader has gone. */
const FOLLOW_WAIT_MS = 1000;
const KEEP_ALIVE_WAITS = 15;

const render = async (
  deps: ReplayDeps,
  { until = Number.POSITIVE_INFINITY, types, format }: ReplayQuery,
  page: readonly StoredEvent[],
  ids: ReplayPage['ids'],
): Promise<string> => {
  const events = page.filter(
    (event) => event.time <= until && (types === undefined || (types as readonly string[]).includes(event.type)),
  );
  if (events.length === 0) return '';
  const whole = { format, ids, events, ...(await knowledgeFor(deps, events)) };
  return deps.render === undefined ? linesOf(whole) : deps.render(whole);
};

/** A page of which the text is being made, so that the next one can be read meanwhile. */
const begin = (text: Promise<string>): Promise<string> => {
  // Whoever has stopped reading does not ask for it any more.
  text.catch(() => {});
  return text;
};

async function* ofStream(deps: ReplayDeps, query: ReplayQuery & ReplayOfStream): AsyncGenerator<string> {
  const { stream, to = Number.MAX_SAFE_INTEGER } = query;
  let next = Math.max(1, query.from ?? 1);
  let former = Promise.resolve('');
  while (next <= to) {
    const limit = Math.min(EVENTS_PER_PAGE, to - next + 1);
    const events = await deps.log.readStream({ stream, from: next, limit });
    const stored = events.map((event) => ({ ...event, data: JSON.stringify(event.data) }));
    const text = begin(render(deps, query, stored, 'sequence'));
    yield await former;
    former = text;
    if (events.length < limit) break;
    next = events.at(-1)!.sequence + 1;
  }
  yield await former;
}

/** Waits for events beyond `position`, telling the reader now and then that nothing has happened. */
async function* nextEvents(deps: ReplayDeps, { format }: ReplayQuery, position: number): AsyncGenerator<string> {
  for (let waits = 1; !(await deps.views.whenProcessed(position + 1, FOLLOW_WAIT_MS)); waits += 1) {
    yield waits % KEEP_ALIVE_WAITS === 0 ? KEEP_ALIVE[format] : '';
  }
}

async function* ofLog(deps: ReplayDeps, query: ReplayQuery & ReplayOfLog): AsyncGenerator<string> {
  const { to = Number.MAX_SAFE_INTEGER, prefix, types, follow = false } = query;
  const filters = { ...(prefix === undefined ? {} : { prefix }), ...(types === undefined ? {} : { types }) };
  let { after } = query;
  let former = Promise.resolve('');
  for (;;) {
    const page: StoredPage = await deps.log.rawAll({ after, limit: EVENTS_PER_PAGE, ...filters });
    const events = page.through <= to ? page.events : page.events.filter((event) => event.position <= to);
    const text = begin(render(deps, query, events, 'position'));
    yield await former;
    former = text;
    after = page.through;
    const atHead = page.events.length < EVENTS_PER_PAGE;
    if (after >= to || (atHead && !follow)) break;
    if (atHead) {
      yield await former;
      former = Promise.resolve('');
      yield* nextEvents(deps, query, after);
    }
  }
  yield await former;
}

/**
 * The events asked for, in order, as batches of whole lines, some of them empty. At most one page is read ahead: who takes slowly is
 * read to slowly.
 * @throws ViewsBehind when what was deleted cannot be known in time
 */
export const replayLines = (deps: ReplayDeps, query: ReplayQuery): AsyncGenerator<string> =>
  'stream' in query ? ofStream(deps, query) : ofLog(deps, query);
