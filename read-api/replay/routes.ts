/** Replay over HTTP, for administrators. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { foldOf } from '../../domain/aggregates.ts';
import { isFull, type LogReader } from '../../log/port.ts';
import type { Views } from '../../projections/port.ts';
import type { StreamHeadReader } from '../../projections/views/stream-heads/view.ts';
import { IsoTime, integerText, text } from '../../schemas/codecs.ts';
import { fieldError, parleyError } from '../../schemas/errors.ts';
import { type Reply, type Route, type RouteRequest, route } from '../../schemas/http/route.ts';
import { StreamState } from '../../schemas/http/shapes.ts';
import {
  type At,
  EventTypes,
  Position,
  type ReplayOfLog,
  type ReplayOfStream,
  type ReplayQuery,
  SequenceOrTime,
  StreamName,
} from './query.ts';
import { type ReplayDeps, replayLines, VIEWS_WAIT_MS } from './replay.ts';

/** Events per read while a stream is folded. */
const EVENTS_PER_READ = 1000;

interface StateThen {
  readonly stream: string;
  /** Sequence of the last event folded in. */
  readonly sequence: number;
  readonly time: string | null;
  readonly state: unknown;
}

/**
 * Folds the stream from its first event through the last one at or before `at`, or all of it without `at`.
 * @returns `undefined` for a name that no kind of stream has
 */
export const stateAt = async (
  log: Pick<LogReader, 'readStream'>,
  stream: string,
  at: At | undefined,
): Promise<StateThen | undefined> => {
  const fold = foldOf(stream);
  if (fold === undefined) return undefined;
  const lastSequence = at !== undefined && 'sequence' in at ? at.sequence : Number.MAX_SAFE_INTEGER;
  const lastTime = at !== undefined && 'time' in at ? at.time : Number.POSITIVE_INFINITY;
  let state = fold.initial();
  let sequence = 0;
  let time: number | null = null;
  for (;;) {
    const events = await log.readStream({ stream, from: sequence + 1, limit: EVENTS_PER_READ });
    for (const event of events) {
      if (event.sequence > lastSequence || event.time > lastTime) break;
      state = fold.evolve(state, event);
      sequence = event.sequence;
      time = event.time;
    }
    if (!isFull(events, EVENTS_PER_READ) || sequence !== events.at(-1)!.sequence) break;
  }
  return { stream, sequence, time: time === null ? null : new Date(time).toISOString(), state: fold.toJson(state) };
};

type Headers = RouteRequest<unknown, unknown, unknown>['headers'];

const STREAMS_PER_PAGE = 1000;
const CONTENT_TYPE = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  sse: 'text/event-stream; charset=utf-8',
} as const;

const formatOf = ({ accept }: Headers): ReplayQuery['format'] =>
  typeof accept === 'string' && accept.includes('text/event-stream') ? 'sse' : 'ndjson';

/** `Last-Event-ID` as a number: how far the reader has got. `undefined`: not given; `null`: not a number. */
const lastEventId = (headers: Headers): number | null | undefined => {
  const given = headers['last-event-id'];
  if (given === undefined) return undefined;
  return typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : null;
};

const notAnId = () =>
  either.left(fieldError(['Last-Event-ID'], 'INVALID', 'Must be the id of an event of this replay.'));

const behind = () => either.left(parleyError('unavailable', { retryAfter: 1 }));

const linesReply = async (deps: ReplayDeps, query: ReplayQuery) => {
  // Checked before the first byte, while the response can still be an error.
  if (!(await deps.views.whenProcessed(await deps.log.head(), VIEWS_WAIT_MS))) return behind();
  return either.right<never, Reply>({
    headers: { 'content-type': CONTENT_TYPE[query.format], 'cache-control': 'no-store' },
    stream: replayLines(deps, query),
    endless: 'follow' in query && query.follow === true,
  });
};

/** Omits undefined values: an optional field is absent or has a value. */
const given = <T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;

export interface ReplayRouteDeps extends ReplayDeps {
  readonly streams: { readonly heads: StreamHeadReader; readonly progress: Pick<Views, 'whenProcessed'> };
}

type StreamPage = StreamHeadReader['page'];

/** Where streams are listed from, with all that the log holds now; `undefined` when the view gets there too late. */
const streamPages = async ({ log, streams }: ReplayRouteDeps): Promise<StreamPage | undefined> => {
  if (!(await streams.heads.isComplete())) return (query) => log.streams(query);
  const held = await streams.progress.whenProcessed(await log.head(), VIEWS_WAIT_MS);
  return held ? (query) => streams.heads.page(query) : undefined;
};

async function* streamLines(
  pageOf: StreamPage,
  { prefix, after, limit }: Parameters<StreamPage>[0],
): AsyncGenerator<string> {
  let from = after;
  let left = limit;
  while (left > 0) {
    const page = await pageOf({ prefix, after: from, limit: Math.min(left, STREAMS_PER_PAGE) });
    if (page.length === 0) return;
    yield page.map((head) => `${JSON.stringify(head)}\n`).join('');
    from = page.at(-1)!.stream;
    left -= page.length;
  }
}

export const replayRoutes = (deps: ReplayRouteDeps): Route[] => [
  route({
    method: 'GET',
    path: '/streams',
    summary: 'Names and heads of streams',
    access: 'administrator',
    ours: true,
    query: t.partial({
      prefix: text(0, 200, 'prefix'),
      after: text(0, 200, 'stream'),
      limit: integerText(1, 1_000_000_000),
    }),
    answers: 'NDJSON of `{stream, sequence, position}`, by name',
    answer: 'lines',
    handle: async ({ query: { prefix = '', after = '', limit = Number.MAX_SAFE_INTEGER } }) => {
      const pageOf = await streamPages(deps);
      if (pageOf === undefined) return behind();
      return either.right({
        headers: { 'content-type': CONTENT_TYPE.ndjson },
        stream: streamLines(pageOf, { prefix, after, limit }),
      });
    },
  }),
  route({
    method: 'GET',
    path: '/streams/:stream/events',
    summary: 'Events of one stream, by sequence',
    access: 'administrator',
    ours: true,
    params: t.type({ stream: StreamName }),
    query: t.partial({ from: Position, to: Position, until: IsoTime, types: EventTypes }),
    answers: 'NDJSON of events, or server-sent events (by `Accept`); `Last-Event-ID` is a sequence',
    answer: 'lines',
    handle: async ({ params: { stream }, query: { from, to, until, types }, headers }) => {
      const last = lastEventId(headers);
      if (last === null) return notAnId();
      if ((await deps.log.streamHead(stream)).sequence === 0) return either.left(parleyError('notFound'));
      const start = last === undefined ? from : Math.max(from ?? 1, last + 1);
      return linesReply(deps, {
        ...given<ReplayOfStream>({ stream, from: start, to }),
        ...given<Pick<ReplayQuery, 'until' | 'types'>>({ until, types }),
        format: formatOf(headers),
      });
    },
  }),
  route({
    method: 'GET',
    path: '/streams/:stream/state',
    summary: 'The folded state of a stream as it was',
    access: 'administrator',
    ours: true,
    params: t.type({ stream: StreamName }),
    query: t.partial({ at: SequenceOrTime }),
    answers: '`{stream, sequence, time, state}`',
    answer: StreamState,
    handle: async ({ params: { stream }, query: { at } }) => {
      const exists = (await deps.log.streamHead(stream)).sequence > 0;
      const state = exists ? await stateAt(deps.log, stream, at) : undefined;
      return state === undefined ? either.left(parleyError('notFound')) : either.right({ body: state });
    },
  }),
  route({
    method: 'GET',
    path: '/events',
    summary: 'Events of the whole log, by position',
    access: 'administrator',
    ours: true,
    query: t.partial({
      after: Position,
      to: Position,
      prefix: text(0, 200, 'prefix'),
      until: IsoTime,
      types: EventTypes,
      follow: t.keyof({ true: null, false: null }),
    }),
    answers: 'NDJSON of events, or server-sent events (by `Accept`); `Last-Event-ID` is a position',
    answer: 'lines',
    handle: async ({ query: { after = 0, to, prefix, until, types, follow }, headers }) => {
      const last = lastEventId(headers);
      if (last === null) return notAnId();
      return linesReply(deps, {
        ...given<ReplayOfLog>({ after: Math.max(after, last ?? 0), to, prefix, follow: follow === 'true' }),
        ...given<Pick<ReplayQuery, 'until' | 'types'>>({ until, types }),
        format: formatOf(headers),
      });
    },
  }),
];
