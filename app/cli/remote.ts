/** A running server that the command line talks to. */

import { pino } from 'pino';
import { openSqliteLogReader } from '../../log/sqlite/log-reader.ts';
import { UnusableLog } from '../../log/sqlite/open.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { FieldErrors } from '../../schemas/errors.ts';
import { reasonOf } from '../../stores/guard.ts';
import { DirectoryInUse } from '../../stores/sqlite/lock.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { type Core, openCore } from '../embedded/core.ts';
import { refusalText } from './refusal.ts';
import { complain, configured, Exit, rebuildProgress, WrongUsage, wait } from './terminal.ts';

// Commands that work directly on the data folder, without a server.

/**
 * Opens the folder for this process alone, runs, and always closes it again. A folder without a log is refused and left as
 * it is.
 * @param withoutLog the refusal, if there is more to say than that there is no log; `create`: then one is made
 */
export const withCore = async <T>(
  run: (core: Core) => Promise<T>,
  { withoutLog, create = false }: { readonly withoutLog?: string; readonly create?: boolean } = {},
): Promise<T> => {
  const config = configured();
  if (config.profile !== 'embedded')
    throw new Error(
      'this works on a data folder, and PARLEY_PROFILE is cluster: see --help for what works on a server',
    );
  try {
    await (await openSqliteLogReader({ clock: systemClock, directory: config.data })).close();
  } catch (error) {
    const isMissing = error instanceof UnusableLog && error.trouble === 'missing';
    if (!(isMissing && create))
      throw isMissing && withoutLog !== undefined ? new Error(`${config.data} has no log: ${withoutLog}`) : error;
  }
  const opening = openCore({
    config,
    metrics: createMetrics(),
    logger: createLogger(config.logLevel, pino.destination(2)),
    clock: systemClock,
    say: wait,
    onRebuild: rebuildProgress(),
    onFailure: (error) => {
      complain(`parley: the views cannot go on: ${reasonOf(error)}`);
      process.exit(Exit.failed);
    },
  });
  const core = await opening.catch((error: unknown) => {
    if (!(error instanceof DirectoryInUse)) throw error;
    throw new Error(`${error.message} A command that takes --url asks the running server itself.`);
  });
  await core.start();
  try {
    return await run(core);
  } finally {
    await core.close();
  }
};

export interface ServerOptions {
  readonly url?: string;
  readonly token?: string;
}

export interface RemoteServer {
  get(path: string): Promise<Response>;
  post<Answer>(path: string, body: unknown): Promise<Answer>;
}

const refusalOf = async (answer: Response): Promise<Error> => {
  const text = await answer.text();
  let message = text;
  try {
    const { message: told, errors } = JSON.parse(text) as { message?: unknown; errors?: FieldErrors };
    message = refusalText({ message: String(told ?? text), errors });
  } catch {
    // The answer does not come from Parley. Show its text as it is.
  }
  if (answer.status === 401) return new Error('the server does not take this token (401)');
  return new Error(`the server answered ${answer.status}: ${message}`);
};

/** The server at `--url`, called with `--token` or PARLEY_TOKEN; `undefined` without a URL. */
export const serverAt = ({ url, token = process.env.PARLEY_TOKEN }: ServerOptions): RemoteServer | undefined => {
  if (url === undefined) return undefined;
  if (token === undefined) throw new WrongUsage('--url needs --token (or PARLEY_TOKEN): the token of whoever asks');
  const ask = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const answer = await fetch(`${url.replace(/\/+$/, '')}/v1${path}`, {
      method,
      headers: { authorization: token, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((error: Error) => {
      throw new Error(`no server answers at ${url} (${String(error.cause ?? error.message)})`);
    });
    if (!answer.ok) throw await refusalOf(answer);
    return answer;
  };
  return {
    get: (path) => ask('GET', path),
    post: async <Answer>(path: string, body: unknown) => {
      const answer = await ask('POST', path, body);
      return (answer.status === 204 ? null : await answer.json()) as Answer;
    },
  };
};
