/** What answers while a process waits for its servers: it is alive, and it is not ready. */

import { createServer, type Server } from 'node:http';
import type { Config } from '../schemas/config.ts';

export interface Starting {
  /** Frees the address for the server that follows. */
  close(): Promise<void>;
}

const answers = (reasons: () => readonly string[]): Server =>
  createServer((request, response) => {
    const alive = request.url === '/health';
    const body = alive
      ? { status: 'alive' }
      : { ready: false, reasons: ['starting: this server is not open yet', ...reasons()], degraded: [] };
    response.writeHead(alive ? 200 : 503, {
      'content-type': 'application/json; charset=utf-8',
      connection: 'close',
      ...(alive ? {} : { 'retry-after': '1' }),
    });
    response.end(JSON.stringify(body));
  });

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
