/**
 * The HTTP server: every route under /v1, to which the paths that libraries call are rewritten, and the pages for
 * operators and readers of the documentation.
 */

import { type IncomingHttpHeaders, maxHeaderSize } from 'node:http';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { LogReader } from '../log/port.ts';
import { isSignedIn } from '../projections/views/guild-views/access.ts';
import type { GuildReader } from '../projections/views/guild-views/view.ts';
import type { Actor } from '../schemas/actor.ts';
import { addressKey } from '../schemas/address.ts';
import { parleyError, StoreUnavailable } from '../schemas/errors.ts';
import { FairQueue } from '../schemas/fair-queue.ts';
import { JSON_TYPE, NO_STORE } from '../schemas/http/raw-answer.ts';
import type { Route } from '../schemas/http/route.ts';
import { lazy } from '../schemas/lazy.ts';
import type { Config } from '../schemas/settings.ts';
import { userStream } from '../schemas/streams.ts';
import type { TimeSlices } from '../schemas/time-slices.ts';
import type { Span, Spans } from '../telemetry/spans.ts';
import type { Tokens } from '../vault/port.ts';
import { takeJsonOnly } from './bodies.ts';
import { boundConnections, CONNECTION_LIMITS, type ConnectionLimits } from './connections.ts';
import { allowOrigins } from './cors.ts';
import { docsPage } from './docs-page.ts';
import { answerUnknownPaths, errorHandler, Refused } from './errors.ts';
import { answerMalformed } from './malformed.ts';
import { correlationIdOf, type Gate, mount, NOBODY, QUERIES } from './mount.ts';
import { openApi } from './openapi.ts';
import { canonicalUrl, PREFIX } from './paths.ts';
import { INVITE_PAGE, PAGE_HEADERS, SETUP_PAGE, WELCOME_PAGE, WELCOME_TEXT, wantsHtml } from './people-pages.ts';
import { readBeforeAnswering } from './unread.ts';

/** Views that are late may soon have caught up. */
const LATE_SECONDS = 1;

export interface Owners {
  readonly guilds: Pick<GuildReader, 'user' | 'administrators'>;
  readonly log: Pick<LogReader, 'streamHead'>;
  /** Waits until the views hold a position. @returns false when that takes too long */
  viewsHold(position: number): Promise<boolean> | true;
}

/**
 * The owner of a token, as the views know them. Another node may have registered them, whose answer does not wait for this one.
 * @throws StoreUnavailable where the views are late: clients throw away a token that is refused
 */
const ownerOf = async (userId: string, { guilds, log, viewsHold }: Owners) => {
  const known = await guilds.user(userId);
  if (known !== undefined) return known;
  const { sequence, position } = await log.streamHead(userStream(userId));
  if (sequence === 0) return undefined;
  if (!(await viewsHold(position))) throw new StoreUnavailable('guild-views', LATE_SECONDS);
  return guilds.user(userId);
};

/** From the Authorization header to the caller. @throws StoreUnavailable as `ownerOf` does */
export const authenticator =
  (tokens: Tokens, owners: Owners) =>
  async (authorization: string | undefined, takesEnded: boolean): Promise<Actor | undefined> => {
    if (authorization === undefined) return undefined;
    const verified = await tokens.verify(authorization);
    if (verified === undefined) return undefined;
    const user = await ownerOf(verified.userId, owners);
    if (user === undefined || !(takesEnded || isSignedIn(user, verified))) return undefined;
    const administrators = await owners.guilds.administrators();
    return { userId: user.id, kind: user.kind, administrator: administrators.includes(user.id) };
  };

/** A plain host, with or without a port: the only form of a Host header that goes into the gateway URL. */
const HOST = /^[\w.-]+(:\d{1,5})?$|^\[[\da-fA-F:.]+\](:\d{1,5})?$/;

/** The configured gateway URL, or else one on the public URL, or else one on the host that the request was sent to. */
export const gatewayUrlOf =
  (config: Pick<Config, 'gatewayUrl' | 'publicUrl' | 'host' | 'port'>) =>
  (request: {
    readonly headers: Readonly<Record<string, string | string[] | undefined>> | IncomingHttpHeaders;
  }): string => {
    if (config.gatewayUrl !== null) return config.gatewayUrl;
    if (config.publicUrl !== null) return `${config.publicUrl.replace(/^http/, 'ws')}/gateway`;
    const { host } = request.headers;
    return `ws://${typeof host === 'string' && HOST.test(host) ? host : `${config.host}:${config.port}`}/gateway`;
  };

interface HttpServerDeps extends Gate {
  readonly routes: readonly Route[];
  readonly config: Pick<Config, 'trustedProxies' | 'publicUrl' | 'corsOrigins'>;
  readonly logger: Logger;
  readonly slices: TimeSlices;
  /** Absent where nothing is traced. */
  readonly spans?: Spans | undefined;
  readonly arrival?: Arrival | undefined;
  /** `CONNECTION_LIMITS` by default. */
  readonly connections?: ConnectionLimits;
  /** Whether this process should get requests, and if not, why; and what it does worse than usual. */
  ready(): { readonly ready: boolean; readonly reasons: readonly string[]; readonly degraded: readonly string[] };
}

const isApi = (url: string): boolean => url.startsWith(`${PREFIX}/`);
export const BODY_LIMIT = 1_048_576;
/** How long a whole request may take to arrive, and its headers, and how often that is checked. Milliseconds. */
interface Arrival {
  readonly requestMs: number;
  readonly headersMs: number;
  readonly checkMs: number;
}
const ARRIVAL: Arrival = { requestMs: 20_000, headersMs: 10_000, checkMs: 2_000 };

const WATCHED = new Set(['/health', '/ready', '/metrics']);

const observe = (app: FastifyInstance, { logger, metrics }: HttpServerDeps): void => {
  app.addHook('onRequest', async (request, reply) => {
    request.actor = NOBODY;
    reply.header('x-request-id', request.id).header('cache-control', NO_STORE);
    // Node's own check would answer in its own form.
    if (request.raw.httpVersion === '1.1' && request.headers.host === undefined)
      throw new Refused(parleyError('malformedRequest', { message: 'An HTTP/1.1 request has a Host header' }));
  });
  // fastify names a charset for the values that it writes itself.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (reply.getHeader('content-type') === `${JSON_TYPE}; charset=utf-8`) reply.header('content-type', JSON_TYPE);
    done();
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    const labels = { method: request.method, route, status: reply.statusCode };
    metrics.httpSeconds.observe(labels, reply.elapsedTime / 1000);
    const { id: correlationId, ip: address, actor } = request;
    const fields = { correlationId, ...labels, ms: Math.round(reply.elapsedTime), user: actor.userId, address };
    // What supervisors and Prometheus ask all the time would hide the rest.
    logger[WATCHED.has(route) ? 'debug' : 'info'](fields, 'request');
  });
};

declare module 'fastify' {
  interface FastifyRequest {
    span: Span | undefined;
  }
}

/** Leaves out what load balancers and Prometheus request all the time, and the upgrade to a socket. */
const traceRequests = (app: FastifyInstance, spans: Spans): void => {
  app.decorateRequest('span');
  app.addHook('onRequest', async (request) => {
    const route = request.routeOptions.url ?? '';
    if (!isApi(route)) return;
    const about = { 'http.request.method': request.method, 'http.route': route, 'parley.correlation': request.id };
    request.span = spans.request(request.headers.traceparent, about);
    // What follows belongs to this span, including the stored events.
    request.headers.traceparent = request.span.traceparent;
  });
  app.addHook('onResponse', async ({ span, actor }, { statusCode }) =>
    span?.end({ 'http.response.status_code': statusCode, 'parley.user': actor.userId }, statusCode >= 500),
  );
};

/** All who ask within one turn of the event loop get the result of one piece of work, which begins in the next turn. */
const together = <T>(work: () => Promise<T>): (() => Promise<T>) => {
  let next: Promise<T> | undefined;
  const begin = async (): Promise<T> => {
    await new Promise((resolve) => setImmediate(resolve));
    next = undefined;
    return work();
  };
  return () => {
    next ??= begin();
    return next;
  };
};

const mountOperations = (app: FastifyInstance, { routes, config, metrics, ready }: HttpServerDeps): void => {
  app.get('/health', async () => ({ status: 'alive' }));
  app.get('/ready', async (_request, reply) => {
    const state = ready();
    return reply.code(state.ready ? 200 : 503).send(state);
  });
  const text = together(() => metrics.registry.metrics());
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', metrics.registry.contentType).send(await text()),
  );
  app.get('/', async ({ headers: { accept } }, reply) =>
    wantsHtml(accept)
      ? reply.headers(PAGE_HEADERS).send(WELCOME_PAGE)
      : reply.header('content-type', 'text/plain; charset=utf-8').send(WELCOME_TEXT),
  );
  app.get('/invite/:code', async (_request, reply) => reply.headers(PAGE_HEADERS).send(INVITE_PAGE));
  app.get('/setup', async (_request, reply) => reply.headers(PAGE_HEADERS).send(SETUP_PAGE));
  // Few servers are ever asked, and a start has enough to do.
  const document = lazy(() => openApi(routes, config.publicUrl));
  const described = lazy(() => Buffer.from(JSON.stringify(document())));
  const page = lazy(() => docsPage(document()));
  app.get('/openapi.json', async (_request, reply) => reply.header('content-type', JSON_TYPE).send(described()));
  app.get('/docs', async (_request, reply) => reply.header('content-type', 'text/html; charset=utf-8').send(page()));
};

/** Builds the server; the caller calls `listen`. */
export const createHttpServer = (deps: HttpServerDeps): FastifyInstance => {
  const arrival = deps.arrival ?? ARRIVAL;
  const app = Fastify({
    loggerInstance: deps.logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'correlationId' }),
    trustProxy: deps.config.trustedProxies.length === 0 ? false : [...deps.config.trustedProxies],
    bodyLimit: BODY_LIMIT,
    // A request that is never finished holds its memory no longer than this.
    requestTimeout: arrival.requestMs,
    http: {
      headersTimeout: arrival.headersMs,
      connectionsCheckingInterval: arrival.checkMs,
      // Checked with the other headers.
      requireHostHeader: false,
    },
    exposeHeadRoutes: true,
    requestIdHeader: false,
    genReqId: (raw) => correlationIdOf(raw.headers),
    // Node takes no longer path. fastify's own refusals of a path would pass by the hooks.
    routerOptions: { maxParamLength: maxHeaderSize },
    rewriteUrl: ({ url }) => canonicalUrl(url!),
    // Event streams that follow the log never end on their own.
    forceCloseConnections: true,
  }) as unknown as FastifyInstance;
  app.decorateRequest('actor');
  answerUnknownPaths(app, deps);
  answerMalformed(app.server, ({ name }) => deps.metrics.refusals.inc({ error: name }));
  readBeforeAnswering(app);
  boundConnections(app, deps.connections ?? CONNECTION_LIMITS, addressKey);
  takeJsonOnly(app);
  observe(app, deps);
  allowOrigins(app, deps.config.corsOrigins, isApi);
  if (deps.spans !== undefined) traceRequests(app, deps.spans);
  app.setErrorHandler(errorHandler(deps));
  const making = { ...deps, queries: new FairQueue(QUERIES) };
  for (const route of deps.routes) mount(app, PREFIX, route, making);
  mountOperations(app, deps);
  return app;
};
