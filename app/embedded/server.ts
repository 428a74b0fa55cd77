/** The embedded profile as a server: the core with its HTTP and socket edges. */
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { commandRoutes, identityRoutes } from '../../commands/index.ts';
import { createGateway, type Gateway, registerGateway } from '../../gateway/index.ts';
import { readRoutes } from '../../read-api/index.ts';
import { replayRoutes } from '../../read-api/replay/index.ts';
import type { Config } from '../../schemas/config.ts';
import { authenticator } from '../authenticate.ts';
import { gatewayConfig, gatewayMetrics } from '../gateway-wiring.ts';
import { gatewayUrlOf } from '../http/gateway-url.ts';
import { createHttpServer } from '../http/server.ts';
import type { Metrics } from '../metrics.ts';
import { renderElsewhere } from '../rendering/index.ts';
import { type Core, openCore } from './core.ts';

/** Behind by more than this, views are not ready: reads would show the past. */
const READY_LAG_EVENTS = 10_000;
const READY_LAG_SECONDS = 5;

export interface ServerOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly onRebuild: Parameters<typeof openCore>[0]['onRebuild'];
  readonly onFailure: (error: unknown) => void;
}

export interface Server {
  /** `http://<host>:<port>` */
  readonly url: string;
  readonly firstStart: boolean;
  /** Sends clients away over the configured window, then closes everything. */
  stop(): Promise<void>;
}

const httpEdge = ({ config, logger, metrics }: ServerOptions, core: Core, ready: () => string[]) => {
  const gatewayUrl = gatewayUrlOf(config);
  const { write, views, log, presenter, access } = core;
  return createHttpServer({
    routes: [
      ...identityRoutes({
        identity: write.identity,
        presenter,
        gatewayUrl: (headers) => gatewayUrl({ headers }),
      }),
      ...commandRoutes(write.dispatcher),
      ...readRoutes({
        views,
        log,
        presenter,
        access,
        gatewayUrl,
        ownWrites: (userId, reads) => write.ownWrites.seen(userId, reads),
        now: Date.now,
      }),
      ...replayRoutes({ log, views, keys: core.keys, render: renderElsewhere() }),
    ],
    authenticate: authenticator(core.tokens, views.guilds),
    limits: write.limits,
    config,
    logger,
    metrics,
    ready: () => {
      const reasons = ready();
      return { ready: reasons.length === 0, reasons };
    },
  });
};

export const startServer = async (options: ServerOptions): Promise<Server> => {
  const { config, logger, metrics } = options;
  const core = await openCore(options);
  const { views, log } = core;
  const firstStart = (await log.head()) === 0;
  let draining = false;

  const reasons = (): string[] => {
    const lag = views.lag();
    const behind = lag.events > READY_LAG_EVENTS || lag.seconds > READY_LAG_SECONDS;
    return [
      ...(draining ? ['draining: this server is stopping'] : []),
      ...(behind ? [`views are ${lag.events} events (${lag.seconds.toFixed(1)} s) behind the log`] : []),
    ];
  };
  const http = httpEdge(options, core, reasons);
  const gateway: Gateway = createGateway({
    log,
    views,
    presenter: core.presenter,
    access: core.access,
    tokens: core.tokens,
    dispatcher: core.write.dispatcher,
    config: gatewayConfig(config),
    logger,
    metrics: gatewayMetrics(metrics),
    clock: { now: Date.now },
  });
  core.listenForTyping(gateway);
  views.onBatch((events, through) => gateway.deliver(events, through));
  await registerGateway(http, gateway);
  const sample = setInterval(() => {
    const lag = views.lag();
    metrics.viewPosition.set(views.checkpoint());
    metrics.viewLagEvents.set(lag.events);
    metrics.viewLagSeconds.set(lag.seconds);
  }, 1000).unref();
  await core.start();
  await http.listen({ host: config.host, port: config.port });
  const { port } = http.server.address() as AddressInfo;

  return {
    url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`,
    firstStart,
    async stop() {
      draining = true;
      clearInterval(sample);
      await gateway.drain(config.drainMs);
      await http.close();
      await gateway.close();
      await core.close();
    },
  };
};
