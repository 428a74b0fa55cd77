/** Every way a request can fail, as the response the client gets. */

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../schemas/clock.ts';
import {
  errorBody,
  fieldError,
  type LimitShown,
  type ParleyError,
  parleyError,
  StoreUnavailable,
} from '../schemas/errors.ts';
import { JSON_TYPE } from '../schemas/http/raw-answer.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** A catalogue error, thrown through fastify to its error handler. */
export class Refused extends Error {
  readonly error: ParleyError;

  constructor(error: ParleyError) {
    super(error.name);
    this.error = error;
  }
}

// Headers that report the state of a rate limit.

/** @param now milliseconds since 1970 */
export const limitHeaders = (state: LimitShown, now: number): Record<string, string> => ({
  'x-ratelimit-limit': String(state.limit),
  'x-ratelimit-remaining': String(state.remaining),
  'x-ratelimit-reset': (now / 1000 + state.resetAfter).toFixed(3),
  'x-ratelimit-reset-after': state.resetAfter.toFixed(3),
  'x-ratelimit-bucket': state.bucket,
});

/** Sent in addition to `limitHeaders` when a request is refused. HTTP defines `Retry-After` in whole seconds. */
const refusalHeaders = (scope: LimitShown['scope'], retryAfter: number): Record<string, string> => ({
  'retry-after': String(Math.max(1, Math.ceil(retryAfter))),
  'x-ratelimit-scope': scope,
  ...(scope === 'global' ? { 'x-ratelimit-global': 'true' } : {}),
});

/** What an answer that refuses is counted by, and takes its time from. */
export interface Refusing {
  readonly metrics: Metrics;
  readonly clock: Clock;
}

export const sendError = (reply: FastifyReply, error: ParleyError, { metrics, clock }: Refusing): FastifyReply => {
  metrics.refusals.inc({ error: error.name });
  reply.code(error.status).header('content-type', JSON_TYPE);
  if (error.limit !== undefined) reply.headers(limitHeaders(error.limit, clock.wallTime()));
  if (error.status === 429)
    reply.headers(refusalHeaders(error.global === true ? 'global' : 'user', error.retryAfter ?? 1));
  else if (error.retryAfter !== undefined)
    reply.header('retry-after', String(Math.max(1, Math.ceil(error.retryAfter))));
  return reply.send(errorBody(error));
};

/** fastify's own refusals as errors of the catalogue; `undefined` for a fault of ours. */
const asParleyError = (thrown: Partial<FastifyError>): ParleyError | undefined => {
  if (thrown instanceof Refused) return thrown.error;
  if (thrown instanceof StoreUnavailable) return parleyError('unavailable', { retryAfter: thrown.retryAfter });
  switch (thrown.code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return parleyError('unsupportedMediaType');
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return parleyError('payloadTooLarge');
  }
  const status = thrown.statusCode ?? 500;
  return status >= 400 && status < 500 ? fieldError([], 'INVALID_REQUEST', 'The request is malformed.') : undefined;
};

export const errorHandler =
  (refusing: Refusing) =>
  (thrown: Partial<FastifyError>, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const error = asParleyError(thrown);
    if (error !== undefined) return sendError(reply, error, refusing);
    request.log.error({ err: thrown }, 'request failed');
    return sendError(reply, parleyError('general'), refusing);
  };

interface Mounted {
  readonly method: string;
  readonly path: string;
}

const matches = (pattern: string, path: string): boolean => {
  const wanted = pattern.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((part, i) => (part.startsWith(':') ? given[i] !== '' : part === given[i]))
  );
};

/** 405 where the path exists for another method, 404 otherwise. Knows the routes that are added after this call. */
export const answerUnknownPaths = (app: FastifyInstance, refusing: Refusing): void => {
  const mounted: Mounted[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) mounted.push({ method: one, path: url });
  });
  const answer = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const path = request.url.split('?', 1)[0]!;
    const methods = mounted.filter((one) => matches(one.path, path)).map((one) => one.method);
    if (methods.length === 0) return sendError(reply, parleyError('notFound'), refusing);
    reply.header('allow', [...new Set(methods)].join(', '));
    return sendError(reply, parleyError('methodNotAllowed'), refusing);
  };
  app.setNotFoundHandler(answer);
  // What is wrong with the body does not matter there.
  app.addHook('preParsing', async (request, reply) => {
    if (request.is404) return answer(request, reply);
    return undefined;
  });
};
