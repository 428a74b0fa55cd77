/** Which pages of other origins may call the API from a browser. */

import cors from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Config } from '../schemas/settings.ts';

/** Headers of answers that pages may read besides those that browsers always show. */
const EXPOSED = [
  ...['Retry-After', 'X-Request-Id', 'X-Parley-Position', 'X-Parley-Next'],
  ...['Limit', 'Remaining', 'Reset', 'Reset-After', 'Bucket', 'Scope', 'Global'].map((name) => `X-RateLimit-${name}`),
];
/** Seconds for which a browser need not ask again. */
const MAX_AGE = 600;

const NONE = { origin: false } as const;

/**
 * Never with credentials: a token comes in a header that the page itself sets, and there are no cookies.
 * @param isApi other paths, as the metrics, are for no page
 */
export const allowOrigins = (
  app: FastifyInstance,
  origins: Config['corsOrigins'],
  isApi: (url: string) => boolean,
): void => {
  if (origins.length === 0) return;
  const allowed = {
    origin: [...origins],
    credentials: false,
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED,
    maxAge: MAX_AGE,
    strictPreflight: false,
  };
  app.register(cors, {
    delegator: (request: FastifyRequest, decide: (failure: null, options: typeof allowed | typeof NONE) => void) =>
      decide(null, request.headers.origin !== undefined && isApi(request.url) ? allowed : NONE),
  });
};
