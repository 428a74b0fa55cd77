/** The embedded profile as a server: the core with its HTTP and socket edges. */

import { answerWhileStarting, type Starting } from '../../http/starting.ts';
import { apiRoutes, type EdgeOptions, gatewayEdge, httpEdge, listen, type Server } from '../edges.ts';
import { lateBy, meterView } from '../lag.ts';
import { openCore } from './core.ts';

export interface ServerOptions extends EdgeOptions {
  readonly onRebuild: Parameters<typeof openCore>[0]['onRebuild'];
  readonly say: (line: string) => void;
  readonly onFailure: (error: unknown) => void;
}

const start = async (options: ServerOptions, waiting: Starting): Promise<Server> => {
  const { config, metrics, clock } = options;
  const core = await openCore(options);
  const { views } = core;
  let draining = false;

  const reasons = (): string[] => {
    // Late views are not ready: reads would show the past.
    const late = lateBy(views.lag());
    return [
      ...(draining ? ['draining: this server is stopping'] : []),
      ...(core.gone() === undefined ? [] : ['nothing can be stored: a file of the data folder is gone']),
      ...(late === undefined ? [] : [`views are ${late}`]),
    ];
  };
  const degraded = (): string[] =>
    core.isFull() ? ['nothing can be stored: the disk is full. What is stored can be read'] : [];
  const http = httpEdge(options, core, apiRoutes(options, core), () => ({
    reasons: reasons(),
    degraded: degraded(),
  }));
  const gateway = await gatewayEdge(options, core, http, { registry: core.registry });
  core.listenForTyping(gateway);
  views.deliverTo((events, through) => gateway.deliver(events, through));
  const endSamples = clock.every(1000, () => meterView(metrics, 'all', views.checkpoint(), views.lag()));
  await core.start();
  await waiting.close();
  const url = await listen(http, config);

  return {
    url,
    setupCode: await core.write.identity.setupCode(),
    async stop() {
      draining = true;
      endSamples();
      await gateway.drain(config.drainMs);
      await http.close();
      await gateway.close();
      await core.close();
    },
  };
};

/** Answers `/health` and `/ready` from the beginning: opening a folder takes long when its views must be rebuilt. */
export const startServer = async (options: ServerOptions): Promise<Server> => {
  let doing = 'opening the data folder';
  const waiting = await answerWhileStarting(options.config, () => [doing]);
  const onRebuild: ServerOptions['onRebuild'] = (progress) => {
    doing = `rebuilding the views: ${progress.through} of ${progress.head} events`;
    options.onRebuild(progress);
  };
  try {
    return await start({ ...options, onRebuild }, waiting);
  } catch (error) {
    await waiting.close();
    throw error;
  }
};
