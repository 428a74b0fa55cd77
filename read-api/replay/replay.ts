/** The event log as text, page by page, as fast as it is taken. */
import type { StoredEvent, StoredPage } from '../../log/port.ts';
import { KEEP_ALIVE, linesOf } from './lines.ts';
import { openedData, type ReplayDeps } from './opening.ts';
import type { ReplayOfLog, ReplayOfStream, ReplayQuery } from './query.ts';

/** One page is one turn of the event loop: long enough to be fast, short enough not to be felt by others. */
const EVENTS_PER_PAGE = 500;

/** A follower that hears nothing looks up this often, so that it notices when its reader has gone. */
const FOLLOW_WAIT_MS = 1000;
const KEEP_ALIVE_WAITS = 15;

const bySequence = (event: StoredEvent) => event.sequence;
const byPosition = (event: StoredEvent) => event.position;

const render = async (
  deps: ReplayDeps,
  { until = Number.POSITIVE_INFINITY, types, format }: ReplayQuery,
  page: readonly StoredEvent[],
  idOf: (event: StoredEvent) => number,
): Promise<string> => {
  const events = page.filter(
    (event) => event.time <= until && (types === undefined || (types as readonly string[]).includes(event.type)),
  );
  return linesOf(events, await openedData(deps, events), format, idOf);
};

async function* ofStream(deps: ReplayDeps, query: ReplayQuery & ReplayOfStream): AsyncGenerator<string> {
  const { stream, to = Number.MAX_SAFE_INTEGER } = query;
  let next = Math.max(1, query.from ?? 1);
  while (next <= to) {
    const limit = Math.min(EVENTS_PER_PAGE, to - next + 1);
    const events = await deps.log.readStream({ stream, from: next, limit });
    const stored = events.map((event) => ({ ...event, data: JSON.stringify(event.data) }));
    const text = await render(deps, query, stored, bySequence);
    if (text !== '') yield text;
    if (events.length < limit) return;
    next = events.at(-1)!.sequence + 1;
  }
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
  for (;;) {
    const page: StoredPage = await deps.log.rawAll({ after, limit: EVENTS_PER_PAGE, ...filters });
    const events = page.through <= to ? page.events : page.events.filter((event) => event.position <= to);
    const text = await render(deps, query, events, byPosition);
    if (text !== '') yield text;
    after = page.through;
    if (after >= to) return;
    if (page.events.length < EVENTS_PER_PAGE) {
      if (!follow) return;
      yield* nextEvents(deps, query, after);
    }
  }
}

/**
 * The events asked for, in order, as batches of whole lines. Nothing is read ahead: who takes slowly is read to slowly.
 * @throws ViewsBehind when what was deleted cannot be known in time
 */
export const replayLines = (deps: ReplayDeps, query: ReplayQuery): AsyncGenerator<string> =>
  'stream' in query ? ofStream(deps, query) : ofLog(deps, query);
