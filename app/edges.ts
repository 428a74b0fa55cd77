/** The HTTP and socket edges, on whatever profile's stores. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { commandRoutes, identityRoutes, type WriteSide } from '../commands/index.ts';
import { createGateway, type Gateway, type GatewayDeps, registerGateway } from '../gateway/index.ts';
import type { EventLog } from '../log/port.ts';
import type { Access } from '../projections/access.ts';
import type { Views } from '../projections/port.ts';
import type { Presenter } from '../projections/presenter/index.ts';
import { readRoutes } from '../read-api/index.ts';
import { replayRoutes } from '../read-api/replay/index.ts';
import type { Config } from '../schemas/config.ts';
import type { Route } from '../schemas/http/route.ts';
import type { KeyRing, Tokens } from '../vault/index.ts';
import { authenticator } from './authenticate.ts';
import { gatewayConfig, gatewayMetrics } from './gateway-wiring.ts';
import { gatewayUrlOf } from './http/gateway-url.ts';
import { createHttpServer } from './http/server.ts';
import type { Metrics } from './metrics.ts';
import { renderElsewhere } from './rendering/index.ts';

/** What the edges stand on. */
export interface Stores {
  readonly log: EventLog;
  readonly views: Views;
  readonly keys: KeyRing;
  readonly tokens: Tokens;
  readonly access: Access;
  readonly presenter: Presenter;
  readonly write: WriteSide;
}

export interface EdgeOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Every route of the API. */
export const apiRoutes = (config: Config, stores: Stores): Route[] => {
  const gatewayUrl = gatewayUrlOf(config);
  const { write, views, log, presenter, access } = stores;
  return [
    ...identityRoutes({ identity: write.identity, presenter, gatewayUrl: (headers) => gatewayUrl({ headers }) }),
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
    ...replayRoutes({
      log,
      views: {
        timelines: views.timelines,
        // What else there is to read may be behind, or gone.
        whenProcessed: (position, timeoutMs) => views.progress('timelines').whenProcessed(position, timeoutMs),
      },
      keys: stores.keys,
      render: renderElsewhere(),
    }),
  ];
};

/**
 * @param stores left out by a process that answers nothing but how it is
 * @param reasons why this process should not be sent requests, now
 */
export const httpEdge = (
  { config, logger, metrics }: EdgeOptions,
  stores: Stores | undefined,
  routes: readonly Route[],
  reasons: () => string[],
): FastifyInstance =>
  createHttpServer({
    routes,
    authenticate: stores === undefined ? async () => undefined : authenticator(stores.tokens, stores.views.guilds),
    limits: stores?.write.limits ?? { everything: () => undefined },
    config,
    logger,
    metrics,
    ready: () => {
      const now = reasons();
      return { ready: now.length === 0, reasons: now };
    },
  });

/** Of a cluster: where events and views of a position come from, and who else has sessions. */
export type Shared = Required<Pick<GatewayDeps, 'feed' | 'registry'>>;

/** Mounts the socket. */
export const gatewayEdge = async (
  { config, logger, metrics }: EdgeOptions,
  stores: Stores,
  http: FastifyInstance,
  shared?: Shared,
): Promise<Gateway> => {
  const { log, views, presenter, access, tokens, write } = stores;
  const gateway = createGateway({
    log,
    views,
    presenter,
    access,
    tokens,
    dispatcher: write.dispatcher,
    // What was not listened to is not in the ring either, so resumes read the log.
    config: { ...gatewayConfig(config), ...(shared === undefined ? {} : { ringBytes: 0 }) },
    logger,
    metrics: gatewayMetrics(metrics),
    clock: { now: Date.now },
    ...shared,
  });
  await registerGateway(http, gateway);
  return gateway;
};

/** @returns `http://<host>:<port>` */
export const listen = async (http: FastifyInstance, { host, port }: Config): Promise<string> => {
  await http.listen({ host, port });
  const address = http.server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
};
