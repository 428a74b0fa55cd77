/** A server with a few routes for specs. */

import { Writable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { Actor } from '../schemas/actor.ts';
import { systemClock } from '../schemas/clock.ts';
import { integerText, Snowflake, text } from '../schemas/codecs.ts';
import { parleyError } from '../schemas/errors.ts';
import { type Route, route } from '../schemas/http/route.ts';
import { TimeSlices } from '../schemas/time-slices.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { CONNECTION_LIMITS, type ConnectionLimits } from './connections.ts';
import type { Everything, Gate } from './mount.ts';
import { createHttpServer } from './server.ts';

const ok = (body: unknown) => either.right({ body });
/** Whether the endless stream was ended. */
export const endless = { returned: false };

/** Lines that come at the speed of whoever reads them. */
async function* manyLines(): AsyncGenerator<string> {
  for (;;) yield 'line\n';
}

export const routes: Route[] = [
  route({
    method: 'GET',
    path: '/public',
    summary: 'Public',
    access: 'public',
    answers: 'its caller',
    handle: async ({ actor, address, correlationId }) => ok({ actor, address, correlationId }),
  }),
  route({
    method: 'POST',
    path: '/channels/:channel_id/messages',
    summary: 'Send',
    access: 'user',
    params: t.type({ channel_id: Snowflake }),
    query: t.partial({ limit: integerText(1, 100) }),
    body: t.intersection([
      t.type({ content: text(1, 20, 'content') }),
      t.partial({ embeds: t.array(t.UnknownRecord) }),
    ]),
    answers: 'what was sent',
    handle: async ({ params, query, body, actor }) => ok({ params, query, body, user: actor.userId }),
  }),
  route({
    method: 'PUT',
    path: '/channels/:channel_id/messages/:emoji',
    summary: 'React',
    access: 'user',
    params: t.type({ channel_id: Snowflake, emoji: text(1, 64, 'emoji') }),
    answers: 'nothing',
    handle: async ({ params }) =>
      either.right({ status: 204, headers: { 'x-emoji': encodeURIComponent(params.emoji) } }),
  }),
  route({
    method: 'GET',
    path: '/secret',
    summary: 'Secret',
    access: 'administrator',
    answers: 'it',
    handle: async () => ok('secret'),
  }),
  route({
    method: 'GET',
    path: '/busy',
    summary: 'Busy',
    access: 'public',
    answers: 'never',
    handle: async () => either.left(parleyError('unavailable', { retryAfter: 0.5 })),
  }),
  route({
    method: 'GET',
    path: '/broken',
    summary: 'Broken',
    access: 'public',
    answers: 'never',
    handle: async () => {
      throw new Error('fault of ours');
    },
  }),
  route({
    method: 'GET',
    path: '/lines',
    summary: 'Lines',
    access: 'public',
    answers: 'lines',
    handle: async () =>
      either.right({
        headers: { 'content-type': 'application/x-ndjson' },
        stream: (async function* () {
          yield '1\n';
          yield '2\n';
        })(),
      }),
  }),
  route({
    method: 'GET',
    path: '/endless',
    summary: 'Endless',
    access: 'public',
    answers: 'lines without end',
    handle: async () =>
      either.right({
        stream: (async function* () {
          try {
            for (;;) yield 'line\n'.repeat(1000);
          } finally {
            endless.returned = true;
          }
        })(),
      }),
  }),
  route({
    method: 'GET',
    path: '/followed',
    summary: 'Followed',
    access: 'administrator',
    answers: 'lines as they come',
    handle: async () => either.right({ stream: manyLines(), endless: true }),
  }),
  route({
    method: 'GET',
    path: '/export',
    summary: 'Export',
    access: 'user',
    answers: 'lines up to a last one',
    handle: async () => either.right({ stream: manyLines() }),
  }),
];

export const within: Everything = {
  allowed: true,
  bucket: 'all',
  limit: 50,
  remaining: 49,
  resetAfter: 1,
  scope: 'global',
};

export interface Over {
  /** Besides those above. */
  readonly routes?: readonly Route[];
  readonly connections?: Partial<ConnectionLimits>;
  readonly metrics?: Metrics;
  readonly state?: Everything;
  readonly reasons?: string[];
  readonly trustedProxies?: string[];
  readonly corsOrigins?: string[];
  readonly arrival?: Parameters<typeof createHttpServer>[0]['arrival'];
  /** Instead of the two tokens that a server takes. */
  readonly authenticate?: Gate['authenticate'];
}

export const aPerson = (administrator: boolean): Actor => ({ userId: '7', kind: 'person', administrator });

/** @param lines receives every line that is logged */
export const aServer = (over: Over = {}, lines: string[] = []): FastifyInstance => {
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  return createHttpServer({
    routes: [...routes, ...(over.routes ?? [])],
    authenticate:
      over.authenticate ??
      (async (given) => {
        if (given === 'Bot other') return { ...aPerson(false), userId: '8' };
        return given === 'Bot good' || given === 'Bearer root' ? aPerson(given === 'Bearer root') : undefined;
      }),
    limits: { everything: async () => over.state ?? within },
    config: { trustedProxies: over.trustedProxies ?? [], publicUrl: null, corsOrigins: over.corsOrigins ?? [] },
    logger: createLogger('trace', sink),
    metrics: over.metrics ?? createMetrics(),
    connections: { ...CONNECTION_LIMITS, ...over.connections },
    clock: systemClock,
    arrival: over.arrival,
    slices: new TimeSlices(systemClock),
    ready: () => ({ ready: over.reasons === undefined, reasons: over.reasons ?? [], degraded: [] }),
  });
};
