/** What answers while a process waits for its servers: it is alive, and it is not ready. */

import { createServer, type Server } from 'node:http';
import { errorBody, parleyError } from '../schemas/errors.ts';
import { JSON_TYPE, NO_STORE } from '../schemas/http/raw-answer.ts';
import type { Config } from '../schemas/settings.ts';
import { answerMalformed } from './malformed.ts';
import { dropRest } from './unread.ts';

export interface Starting {
  /** Frees the address for the server that follows. */
  close(): Promise<void>;
}

const answers = (reasons: () => readonly string[]): Server => {
  const bodyOf = (path: string | undefined): object => {
    if (path === '/health') return { status: 'alive' };
    if (path !== '/ready') return errorBody(parleyError('unavailable', { retryAfter: 1 }));
    return { ready: false, reasons: ['starting: this server is not open yet', ...reasons()], degraded: [] };
  };
  const server = createServer(async (request, response) => {
    const { url } = request;
    await dropRest(request);
    const alive = url === '/health';
    response.writeHead(alive ? 200 : 503, {
      'content-type': JSON_TYPE,
      'cache-control': NO_STORE,
      connection: 'close',
      ...(alive ? {} : { 'retry-after': '1' }),
    });
    response.end(JSON.stringify(bodyOf(url)));
  });
  answerMalformed(server, () => {});
  return server;
};

/**
 * Answers `/health` with 200 and everything else with 503.
 * @param reasons what the process is waiting for
 * @throws when the address cannot be listened on
 */
export const answerWhileStarting = async (
  { host, port }: Pick<Config, 'host' | 'port'>,
  reasons: () => readonly string[],
): Promise<Starting> => {
  const server = answers(reasons);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  let closed: Promise<void> | undefined;
  return {
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
};
