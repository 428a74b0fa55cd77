/** Every way a request can fail, as the answer a client gets. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorBody, fieldError, type ParleyError, parleyError } from '../../schemas/errors.ts';
import { limitHeaders, refusalHeaders } from '../../schemas/http/limit-headers.ts';
import { StoreUnavailable } from '../../schemas/unavailable.ts';
import type { Metrics } from '../metrics.ts';
import { Refused } from './json-body.ts';

export const JSON_TYPE = 'application/json; charset=utf-8';

export const sendError = (reply: FastifyReply, error: ParleyError, metrics: Metrics): FastifyReply => {
  metrics.refusals.inc({ error: error.name });
  reply.code(error.status).header('content-type', JSON_TYPE);
  if (error.limit !== undefined) reply.headers(limitHeaders(error.limit, Date.now()));
  if (error.status === 429)
    reply.headers(refusalHeaders(error.global === true ? 'global' : 'user', error.retryAfter ?? 1));
  else if (error.retryAfter !== undefined)
    reply.header('retry-after', String(Math.max(1, Math.ceil(error.retryAfter))));
  return reply.send(JSON.stringify(errorBody(error)));
};

/** What fastify itself refuses, in the words of the catalogue; `undefined` for a fault of ours. */
const asParleyError = (thrown: Partial<FastifyError>): ParleyError | undefined => {
  if (thrown instanceof Refused) return thrown.error;
  if (thrown instanceof StoreUnavailable) return parleyError('unavailable', { retryAfter: thrown.retryAfter });
  switch (thrown.code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return parleyError('unsupportedMediaType');
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return parleyError('payloadTooLarge');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return parleyError('notFound');
  }
  const status = thrown.statusCode ?? 500;
  return status >= 400 && status < 500 ? fieldError([], 'INVALID_REQUEST', 'The request is malformed.') : undefined;
};

export const errorHandler =
  (metrics: Metrics) =>
  (thrown: Partial<FastifyError>, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const error = asParleyError(thrown);
    if (error?.status === 413) {
      // Closing on a client that is still sending resets the connection before it can read why: take the rest, drop it.
      request.raw.resume();
      reply.removeHeader('connection');
    }
    if (error !== undefined) return sendError(reply, error, metrics);
    request.log.error({ err: thrown }, 'request failed');
    return sendError(reply, parleyError('general'), metrics);
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

/** 405 where the path exists for another method, 404 otherwise. */
export const answerUnknownPaths = (app: FastifyInstance, mounted: readonly Mounted[], metrics: Metrics): void => {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!;
    const methods = mounted.filter((one) => matches(one.path, path)).map((one) => one.method);
    if (methods.length === 0) return sendError(reply, parleyError('notFound'), metrics);
    reply.header('allow', [...new Set(methods)].join(', '));
    return sendError(reply, parleyError('methodNotAllowed'), metrics);
  });
};
