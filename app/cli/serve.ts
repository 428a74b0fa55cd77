/** `parley serve` */
import { pino } from 'pino';
import { startServer } from '../embedded/server.ts';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import { complain, configured, Exit, reported, say } from './configured.ts';
import { rebuildProgress } from './progress.ts';

const welcome = (url: string, firstStart: boolean): string =>
  [
    `Parley listens on ${url}`,
    firstStart ? `  register the first person, who administers this server: POST ${url}/v1/auth/register` : '',
    `  the HTTP API, to read: ${url}/docs`,
    `  the socket: ${url.replace(/^http/, 'ws')}/gateway`,
  ]
    .filter((line) => line !== '')
    .join('\n');

export const serve = (): Promise<void> =>
  reported(async () => {
    const config = configured();
    // Standard output is for people; the log goes where supervisors look for it.
    const logger = createLogger(config.logLevel, pino.destination(2));
    const server = await startServer({
      config,
      logger,
      metrics: createMetrics(),
      onRebuild: rebuildProgress(),
      onFailure: (error) => {
        logger.fatal({ err: error }, 'the views cannot go on');
        complain('parley: the views cannot go on; start again, they are rebuilt if need be');
        process.exit(Exit.failed);
      },
    });
    say(welcome(server.url, server.firstStart));
    let stopping = false;
    const stop = (signal: string) => {
      if (stopping) return;
      stopping = true;
      logger.info({ signal }, 'stopping');
      server.stop().then(
        () => process.exit(0),
        (error) => {
          logger.error({ err: error }, 'stopping failed');
          process.exit(Exit.failed);
        },
      );
    };
    process.on('SIGTERM', () => stop('SIGTERM'));
    process.on('SIGINT', () => stop('SIGINT'));
  });
