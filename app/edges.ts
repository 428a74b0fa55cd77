/** The HTTP and socket edges, on the stores of either profile. */

import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { OWN_WRITES_WAIT_MS } from '../commands/own-writes.ts';
import type { WriteSide } from '../commands/write-side.ts';
import { defaultGatewayConfig, type GatewayConfig } from '../gateway/config.ts';
import { createGateway, type Gateway } from '../gateway/gateway.ts';
import { registerGateway } from '../gateway/plugin.ts';
import type { GatewayDeps, GatewayMetrics } from '../gateway/ports.ts';
import {
  openSocketProcesses,
  type SocketProcessMetrics,
  socketProcessesWanted,
} from '../gateway/socket-processes/pool.ts';
import { accountRoutes } from '../http/account-routes.ts';
import { commandRoutes } from '../http/command-routes.ts';
import { identityRoutes } from '../http/identity-routes.ts';
import { authenticator, createHttpServer, gatewayUrlOf, type Owners } from '../http/server.ts';
import type { EventLog } from '../log/port.ts';
import type { Presenter } from '../presenter/presenter.ts';
import type { Views } from '../projections/port.ts';
import type { Access } from '../projections/views/guild-views/access.ts';
import { readRoutes } from '../read-api/index.ts';
import { renderElsewhere } from '../read-api/replay/rendering.ts';
import { replayRoutes } from '../read-api/replay/routes.ts';
import type { Clock } from '../schemas/clock.ts';
import type { Route } from '../schemas/http/route.ts';
import type { Config } from '../schemas/settings.ts';
import { TimeSlices } from '../schemas/time-slices.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Spans } from '../telemetry/spans.ts';
import type { Tokens } from '../vault/port.ts';
import type { KeyRing } from '../vault/sealing.ts';

/** The gateway's numbers from the configuration, and its counters in Prometheus. */
const gatewayConfig = (config: Config): GatewayConfig => ({
  ...defaultGatewayConfig,
  heartbeatIntervalMs: config.heartbeatMs,
  byteBudget: config.socketBudgetBytes,
  refusedBudget: config.refused && { count: config.refused.count, windowMs: config.refused.seconds * 1000 },
  unidentified: { sockets: config.bounds.sockets, perAddress: config.bounds.socketsOfAddress },
  compressed: config.bounds.compressed,
  resumeLimit: config.resumeLimit,
  resumeGatewayUrl: (host) => config.resumeGatewayUrl ?? gatewayUrlOf(config)({ headers: { host } }),
});

const socketProcessMetrics = ({
  socketProcessCpu,
  socketProcessMemory,
  socketProcessSockets,
}: Metrics): SocketProcessMetrics => ({
  usage: (process, { cpuSeconds, residentBytes, sockets }) => {
    socketProcessCpu.inc({ process }, cpuSeconds);
    socketProcessMemory.set({ process }, residentBytes);
    socketProcessSockets.set({ process }, sockets);
  },
  ended: (process) => {
    for (const metric of [socketProcessCpu, socketProcessMemory, socketProcessSockets]) metric.remove({ process });
  },
});

const gatewayMetrics = (metrics: Metrics): GatewayMetrics => ({
  sockets: (change) => metrics.sockets.inc(change),
  sessions: (change) => metrics.sessions.inc(change),
  dispatches: (count) => metrics.dispatches.inc(count),
  bytes: (count) => metrics.dispatchBytes.inc(count),
  resumes: (outcome) => metrics.resumes.inc({ outcome }),
  closes: (code) => metrics.closes.inc({ code }),
  refusals: (reason) => metrics.refusals.inc({ error: reason }),
  commands: (outcome, ms) => metrics.commandSeconds.observe({ outcome }, ms / 1000),
});

/** A server as the command line runs it, in either profile. */
export interface Server {
  /** `http://<host>:<port>` */
  readonly url: string;
  /** For the first person, who is to administer the server. Absent once there is one. */
  readonly setupCode?: string | undefined;
  /** Sends clients away over the configured window, hands over its cluster duties, then closes everything. */
  stop(): Promise<void>;
}

/** What the edges depend on. */
export interface Stores {
  readonly log: EventLog;
  readonly views: Views;
  readonly keys: KeyRing;
  readonly tokens: Tokens;
  readonly access: Access;
  readonly presenter: Presenter;
  /** For the work that queries share the event loop for: opening what is sealed, and writing JSON. */
  readonly slices: TimeSlices;
  readonly write: WriteSide;
}

export interface EdgeOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Absent where nothing is traced. */
  readonly spans?: Spans | undefined;
}

/** All routes of the API. */
export const apiRoutes = ({ config, clock }: Pick<EdgeOptions, 'config' | 'clock'>, stores: Stores): Route[] => {
  const gatewayUrl = gatewayUrlOf(config);
  const { write, views, log, presenter, access } = stores;
  return [
    ...identityRoutes({
      identity: write.identity,
      bus: write.bus,
      presenter,
      gatewayUrl: (headers) => gatewayUrl({ headers }),
    }),
    ...accountRoutes({ accounts: write.accounts }),
    ...commandRoutes(write.bus, presenter, clock),
    ...readRoutes({
      views,
      log,
      presenter,
      access,
      gatewayUrl,
      maxConcurrency: config.maxConcurrency,
      identifiesLeft: (userId) => write.limits.identifiesLeft(userId),
      ownWrites: (userId, reads) => write.ownWrites.seen(userId, reads),
      heldThrough: (reads) => Math.min(...reads.map((view) => views.progress(view).checkpoint())),
      now: clock.wallTime,
    }),
    ...replayRoutes({
      log,
      views: {
        timelines: views.timelines,
        // Only the timelines matter here: the other views may be behind, or down.
        whenProcessed: (position, timeoutMs) => views.progress('timelines').whenProcessed(position, timeoutMs),
      },
      streams: { heads: views.streams, progress: views.progress('stream-heads') },
      keys: stores.keys,
      render: renderElsewhere(),
    }),
  ];
};

/** What a process says about itself at `/ready`. */
export interface Readiness {
  /** Why it should not get requests now. */
  readonly reasons: readonly string[];
  /** What it does worse than usual. */
  readonly degraded: readonly string[];
}

const ownersIn = ({ views, log }: Stores): Owners => ({
  guilds: views.guilds,
  log,
  viewsHold: (position) => views.progress('guild-views').whenProcessed(position, OWN_WRITES_WAIT_MS),
});

/**
 * Builds the HTTP server.
 * @param stores absent in a process that answers only about its own state
 */
export const httpEdge = (
  { config, logger, metrics, clock, spans }: EdgeOptions,
  stores: Stores | undefined,
  routes: readonly Route[],
  readiness: () => Readiness,
): FastifyInstance =>
  createHttpServer({
    routes,
    authenticate: stores === undefined ? async () => undefined : authenticator(stores.tokens, ownersIn(stores)),
    limits: stores?.write.limits ?? { everything: () => undefined },
    config,
    logger,
    metrics,
    clock,
    slices: stores?.slices ?? new TimeSlices(clock),
    spans,
    ready: () => {
      const { reasons, degraded } = readiness();
      return { ready: reasons.length === 0, reasons, degraded };
    },
  });

/** The shared presence of all nodes and, in a cluster, the source of events and of views as of a position. */
export type Shared = Pick<GatewayDeps, 'feed' | 'registry'>;

/** Mounts the socket. */
export const gatewayEdge = async (
  { config, logger, metrics, clock, spans }: EdgeOptions,
  stores: Stores,
  http: FastifyInstance,
  shared: Shared,
): Promise<Gateway> => {
  const { log, views, presenter, access, tokens, write } = stores;
  const gateway = createGateway({
    log,
    views,
    presenter,
    access,
    tokens,
    mayBegin: async (userId) => (await write.limits.identify(userId))?.allowed !== false,
    listsMembers: async (userId, guildId) => write.limits.memberList(userId, guildId),
    bus: write.bus,
    // The ring would lack events that nobody listened to, so resumes read the log.
    config: { ...gatewayConfig(config), ...(shared.feed === undefined ? {} : { ringBytes: 0 }) },
    logger,
    metrics: gatewayMetrics(metrics),
    clock,
    spans,
    ...shared,
  });
  const wanted = socketProcessesWanted(config.threads, availableParallelism(), () => gateway.sessions);
  const processes = wanted && openSocketProcesses({ wanted, logger, clock, metrics: socketProcessMetrics(metrics) });
  await registerGateway(http, gateway, processes);
  if (processes !== undefined) http.addHook('onClose', () => processes.close());
  return gateway;
};

/** @returns `http://<host>:<port>` */
export const listen = async (http: FastifyInstance, { host, port }: Config): Promise<string> => {
  await http.listen({ host, port });
  const address = http.server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
};
