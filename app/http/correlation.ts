/** The id that ties a request to its log lines, its events and its answer. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const USABLE = /^[\w.:-]{1,128}$/;

/** The caller's `X-Request-Id` where it is short and plain, a new one otherwise. */
export const correlationIdOf = (headers: IncomingHttpHeaders): string => {
  const given = headers['x-request-id'];
  return typeof given === 'string' && USABLE.test(given) ? given : randomUUID();
};
