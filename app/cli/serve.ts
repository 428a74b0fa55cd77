/** `parley serve` */

import { pino } from 'pino';
import { systemClock } from '../../schemas/clock.ts';
import type { Config, Rate } from '../../schemas/settings.ts';
import { reasonOf } from '../../stores/guard.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { openSpans } from '../../telemetry/spans.ts';
import { checkBudgets, misfits } from '../budgets.ts';
import type { Server } from '../edges.ts';
import { ignoredVariables } from '../environment.ts';
import {
  complain,
  configured,
  Exit,
  rebuildProgress,
  refuseConfiguration,
  reported,
  say,
  WrongUsage,
  wait,
} from './terminal.ts';

const peopleIn = (rate: Rate): string =>
  rate === undefined ? 'any number of people' : `${rate.count} people in ${rate.seconds} s`;

/** How the first person registers, who administers the server; nothing once there is somebody. */
const firstSteps = (url: string, { setupCode }: Server, { registration, limits }: Config): readonly string[] => {
  const who = registration === 'closed' ? 'registration is closed' : 'registration is by invite';
  if (setupCode === undefined) return registration === 'open' ? [] : [`  ${who}`];
  if (registration !== 'open')
    return [
      `  ${who}. The first person, who administers this server, registers by this link, which works once:`,
      `    ${url}/setup#${setupCode}`,
    ];
  return [
    `  register the first person, who administers this server: POST ${url}/v1/auth/register`,
    `  one address may register ${peopleIn(limits.registerEarly ?? limits.register)} in the first three days, then ${peopleIn(limits.register)}`,
  ];
};

const welcome = (server: Server, config: Config): string =>
  [
    `Parley listens on ${server.url}`,
    ...firstSteps(config.publicUrl ?? server.url, server, config),
    `  the HTTP API, to read: ${server.url}/docs`,
    `  the socket: ${server.url.replace(/^http/, 'ws')}/gateway`,
  ].join('\n');

export const serve = ({ roles }: { readonly roles?: string }): Promise<void> =>
  reported(async () => {
    checkBudgets();
    const config = configured(roles === undefined ? {} : { PARLEY_ROLES: roles });
    if (roles !== undefined && config.profile === 'embedded')
      throw new WrongUsage(
        '--roles is for a cluster: in the embedded profile one process does everything. Leave it out, or set PARLEY_PROFILE=cluster',
      );
    const ignored = ignoredVariables(process.env, config);
    if (ignored.length > 0)
      wait(`${ignored.join(', ')} ${ignored.length === 1 ? 'has' : 'have'} no effect: PARLEY_PROFILE is embedded`);
    const wrong = misfits(config);
    if (wrong.length > 0) refuseConfiguration(wrong);
    // Standard output is for people. The log goes to where supervisors look for it.
    const logger = createLogger(config.logLevel, pino.destination(2));
    const metrics = createMetrics();
    /** The trouble with the receiver of spans that was told last. */
    let told: string | undefined;
    const spans =
      config.tracingUrl === null
        ? undefined
        : await openSpans({
            url: config.tracingUrl,
            ratio: config.tracingRatio,
            roles: config.profile === 'cluster' ? config.cluster.roles.join(',') : 'embedded',
            clock: systemClock,
            onDropped: (dropped, reason, why = '') => {
              metrics.spansDropped.inc({ reason }, dropped);
              if (reason !== 'receiver' || why === told) return;
              told = why;
              logger.warn(
                { url: config.tracingUrl },
                `the receiver of spans (PARLEY_TRACING_URL) does not take them: ${why}`,
              );
            },
          });
    const failing = (what: string, then: string) => (error: unknown) => {
      logger.fatal({ err: error }, `${what} cannot go on`);
      complain(`parley: ${what} cannot go on: ${reasonOf(error)}; ${then}`);
      process.exit(Exit.failed);
    };
    let server: Server | undefined;
    let stopping = false;
    const stop = (signal: string) => {
      if (stopping) return;
      stopping = true;
      logger.info({ signal }, 'stopping');
      // Still waiting for servers: nothing is under way that must be finished.
      if (server === undefined) process.exit(0);
      const stopped = server.stop().finally(() => spans?.close());
      stopped.then(
        () => process.exit(0),
        (error) => {
          logger.error({ err: error }, 'stopping failed');
          process.exit(Exit.failed);
        },
      );
    };
    process.on('SIGTERM', () => stop('SIGTERM'));
    process.on('SIGINT', () => stop('SIGINT'));
    // Loading the drivers of the other profile would double the time to start.
    server =
      config.profile === 'cluster'
        ? await (await import('../cluster/server.ts')).startClusterServer({
            ...{ config, logger, metrics, clock: systemClock, spans },
            say: (line) => complain(`parley: ${line}`),
            onFailure: failing('this process', 'start it again'),
          })
        : await (await import('../embedded/server.ts')).startServer({
            ...{ config, logger, metrics, clock: systemClock, spans },
            onRebuild: rebuildProgress(),
            say: (line) => complain(`parley: ${line}`),
            onFailure: failing('the views', 'start again, they are rebuilt if need be'),
          });
    say(welcome(server, config));
  });
