/** `parley replay`: prints the event log as lines, from a running server or directly from the data folder. */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { either } from 'fp-ts';
import type * as t from 'io-ts';
import { EventTypes, type ReplayQuery } from '../../read-api/replay/query.ts';
import { replayLines } from '../../read-api/replay/replay.ts';
import { IsoTime } from '../../schemas/codecs.ts';
import { beginsStreamNames, isStreamName, STREAM_NAMES } from '../../schemas/streams.ts';
import { type ServerOptions, serverAt, withCore } from './remote.ts';
import { reported, WrongUsage } from './terminal.ts';

interface ReplayOptions extends ServerOptions {
  readonly stream?: string;
  readonly prefix?: string;
  readonly types?: string;
  readonly from?: string;
  readonly to?: string;
  readonly until?: string;
  readonly follow?: boolean;
}

const decoded = <A>(option: string, codec: t.Type<A, string, unknown>, value: string): A => {
  const result = codec.decode(value);
  if (either.isRight(result)) return result.right;
  throw new WrongUsage(`--${option}: given ${JSON.stringify(value)}. ${result.left[0]?.message ?? ''}`);
};

const whole = (option: string, value: string): number => {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new WrongUsage(`--${option}: given ${JSON.stringify(value)}. Must be a whole number.`);
};

const queryOf = ({ stream, prefix, types, from, to, until, follow, url }: ReplayOptions): ReplayQuery => {
  if (stream !== undefined && prefix !== undefined) throw new WrongUsage('give --stream or --prefix, not both');
  if (stream !== undefined && !isStreamName(stream))
    throw new WrongUsage(`--stream: given ${JSON.stringify(stream)}. Streams are named ${STREAM_NAMES}.`);
  if (prefix !== undefined && !beginsStreamNames(prefix))
    throw new WrongUsage(`--prefix: given ${JSON.stringify(prefix)}. Streams are named ${STREAM_NAMES}.`);
  if (follow && stream !== undefined) throw new WrongUsage('--follow goes with --prefix, not with --stream');
  if (follow && url === undefined)
    throw new WrongUsage('--follow needs --url: nobody writes to a folder that no server uses');
  const common = {
    format: 'ndjson' as const,
    ...(types === undefined ? {} : { types: decoded('types', EventTypes, types) }),
    ...(to === undefined ? {} : { to: whole('to', to) }),
    ...(until === undefined ? {} : { until: decoded('until', IsoTime, until) }),
  };
  const first = from === undefined ? 1 : whole('from', from);
  if (stream !== undefined) return { ...common, stream, from: first };
  return {
    ...common,
    after: Math.max(0, first - 1),
    ...(prefix === undefined ? {} : { prefix }),
    ...(follow ? { follow } : {}),
  };
};

const pathOf = (query: ReplayQuery): string => {
  const { format: _, types, until, ...rest } = query;
  const search = new URLSearchParams(types === undefined ? {} : { types: types.join(',') });
  for (const [name, value] of Object.entries(rest)) if (name !== 'stream') search.set(name, String(value));
  if (until !== undefined) search.set('until', new Date(until).toISOString());
  const path = 'stream' in query ? `/streams/${encodeURIComponent(query.stream)}/events` : '/events';
  return `${path}?${search}`;
};

/**
 * Writes at the reader's pace. A reader that goes away (`| head`) ends it quietly.
 * @returns whether the pages ended, rather than the reading
 */
const print = (pages: AsyncIterable<string | Uint8Array>): Promise<boolean> =>
  pipeline(pages, process.stdout, { end: false }).then(
    () => true,
    (failure: NodeJS.ErrnoException) => {
      if (failure.code !== 'EPIPE') throw failure;
      return false;
    },
  );

export const replayCommand = (options: ReplayOptions): Promise<void> =>
  reported(async () => {
    const query = queryOf(options);
    const server = serverAt(options);
    if (server === undefined) {
      await withCore(async ({ log, views, keys }) => {
        if ('stream' in query && (await log.streamHead(query.stream)).sequence === 0)
          throw new Error(`there is no stream ${query.stream}`);
        await views.whenProcessed(await log.head(), 60_000);
        await print(replayLines({ log, views, keys }, query));
      });
      return;
    }
    const answer = await server.get(pathOf(query));
    if (answer.body === null) return;
    const ended = await print(Readable.fromWeb(answer.body)).catch((failure: Error) => {
      throw new Error(`the server at ${options.url} broke its answer off (${failure.message})`);
    });
    if (ended && options.follow)
      throw new Error(`the server at ${options.url} ended its answer: the token no longer allows following the log`);
  });
