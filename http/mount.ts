/** From a route as a value to a fastify handler: authenticates, limits, decodes and responds. */

import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type * as t from 'io-ts';
import type { Actor } from '../schemas/actor.ts';
import { addressKey } from '../schemas/address.ts';
import { decode } from '../schemas/codecs.ts';
import { fieldError, type LimitShown, type ParleyError, parleyError } from '../schemas/errors.ts';
import type { FairQueue, QueueLimits } from '../schemas/fair-queue.ts';
import { JSON_TYPE } from '../schemas/http/raw-answer.ts';
import { type Reply, type Route, type RouteRequest, takesKey } from '../schemas/http/route.ts';
import type { TimeSlices } from '../schemas/time-slices.ts';
import { type Refusing, sendError } from './errors.ts';
import { slicedJson } from './sliced-json.ts';
import { unknownQuery } from './unknown-query.ts';

/** The id that ties a request to its log lines, its events and its response. */
const USABLE = /^[\w.:-]{1,128}$/;

/** The caller's `X-Request-Id` if it is short and plain, otherwise a new one. */
export const correlationIdOf = (headers: IncomingHttpHeaders): string => {
  const given = headers['x-request-id'];
  return typeof given === 'string' && USABLE.test(given) ? given : randomUUID();
};

/** The state of the global limit, and whether this request is within it. */
export type Everything = LimitShown & { readonly allowed: boolean };

export interface Gate extends Refusing {
  /** @param takesEnded whether a token counts although its sign-in has ended */
  authenticate(authorization: string | undefined, takesEnded: boolean): Promise<Actor | undefined>;
  /** `undefined` means no limit. */
  readonly limits: { everything(actor: Actor): Promise<Everything | undefined> | undefined };
}

/**
 * Queries under way; further ones wait. The largest page of messages takes some 10 MB while it is made: 40 MB for one
 * person, 160 MB at one address.
 */
export const QUERIES = {
  ...{ atOnce: 256, perPerson: 4, perAddress: 16 },
  ...{ waiting: 10_000, waitingPerAddress: 2_000, waitingPerPerson: 500 },
} satisfies QueueLimits;

/** How answers are made: queries in turns and in slices of time. */
export interface Making extends Gate {
  readonly queries: FairQueue;
  readonly slices: TimeSlices;
}

declare module 'fastify' {
  interface FastifyRequest {
    actor: Actor;
  }
}

export const NOBODY: Actor = { userId: '', kind: 'person', administrator: false };

/** Whether the route is for whoever sent the request, now. */
const mayCall = async (
  { access, takesEnded = false }: Route,
  { headers }: FastifyRequest,
  gate: Gate,
): Promise<boolean> => {
  if (access === 'public') return true;
  const actor = await gate.authenticate(headers.authorization, takesEnded);
  return actor !== undefined && (access === 'user' || actor.administrator);
};

class RightLost extends Error {
  constructor() {
    super('the caller may not read this any more');
  }
}

/**
 * A long answer outlives what its caller may do: signing out, another password, an expired token, another administrator.
 * @throws RightLost where a reader could take what came so far for all there is
 */
async function* whileAllowed(
  { stream, endless }: Reply & Required<Pick<Reply, 'stream'>>,
  isAllowed: () => Promise<boolean>,
): AsyncGenerator<string | Uint8Array> {
  for await (const chunk of stream) {
    if (await isAllowed()) yield chunk;
    else if (endless === true) return;
    else throw new RightLost();
  }
}

/** A reply whose body is its JSON in UTF-8. */
interface Made extends Omit<Reply, 'body'> {
  readonly json?: Buffer;
}

/** @returns an error when too many queries wait for their turn */
const make = async (
  route: Route,
  request: RouteRequest<unknown, unknown, unknown>,
  { queries, slices }: Making,
): Promise<Either<ParleyError, Made>> => {
  const isQuery = route.method === 'GET' && route.access !== 'public';
  const run = async (): Promise<Either<ParleyError, Made>> => {
    const answer = await route.handle(request);
    if (either.isLeft(answer)) return answer;
    const { body, ...rest } = answer.right;
    if (rest.stream !== undefined || rest.status === 204) return either.right(rest);
    // What a command answers is small, and does not wait behind long pages.
    const json = isQuery ? await slicedJson(body ?? null, slices) : Buffer.from(JSON.stringify(body ?? null));
    return either.right({ ...rest, json });
  };
  const refused = await route.before?.(request);
  if (refused !== undefined) return either.left(refused);
  if (!isQuery) return run();
  const { address, isGone, actor } = request;
  const made = await queries.run({ address, isGone, userId: actor.userId }, run);
  return made ?? either.left(parleyError('unavailable', { retryAfter: 1 }));
};

const sendReply = (reply: FastifyReply, answer: Made, isAllowed: () => Promise<boolean>): FastifyReply => {
  const { status = 200, headers, json, stream } = answer;
  reply.code(status);
  if (headers !== undefined) reply.headers(headers);
  // Of one that nobody reads the length is not known, and it is not begun.
  if (stream !== undefined && reply.request.method === 'HEAD') return reply.send(Readable.from([]));
  // A stream of whole pages: one is ready while the connection takes another.
  if (stream !== undefined) {
    reply.send(Readable.from(whileAllowed({ ...answer, stream }, isAllowed), { highWaterMark: 1 }));
    // A reader that follows the log must learn that it is connected before the first event arrives.
    reply.raw.flushHeaders();
    return reply;
  }
  return json === undefined ? reply.send() : reply.header('content-type', JSON_TYPE).send(json);
};

/** Runs before the body is read, so that an unauthenticated client cannot make the server parse anything. */
const admit =
  (route: Route, gate: Gate) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    if (route.access === 'public') return undefined;
    const actor = await gate.authenticate(request.headers.authorization, route.takesEnded === true);
    if (actor === undefined) return sendError(reply, parleyError('unauthorized'), gate);
    request.actor = actor;
    const state = await gate.limits.everything(actor);
    if (state !== undefined && !state.allowed) {
      const error = parleyError('rateLimited', { retryAfter: state.resetAfter, global: true, limit: state });
      return sendError(reply, error, gate);
    }
    if (route.access === 'administrator' && !actor.administrator) {
      return sendError(reply, parleyError('onlyAdministrator'), gate);
    }
    return undefined;
  };

const decodePart = (
  codec: t.Type<unknown, unknown, unknown> | undefined,
  value: unknown,
): Either<ParleyError, unknown> => (codec === undefined ? either.right(undefined) : decode(codec, value ?? {}));

const KEY = /^[\x21-\x7e]{1,255}$/;

const idempotencyKeyOf = (route: Route, headers: IncomingHttpHeaders): Either<ParleyError, string | null> => {
  const given = headers['idempotency-key'];
  if (!takesKey(route) || given === undefined) return either.right(null);
  return typeof given === 'string' && KEY.test(given)
    ? either.right(given)
    : either.left(fieldError(['Idempotency-Key'], 'INVALID_KEY', 'Must be 1 to 255 visible ASCII characters.'));
};

const decodeRequest = (
  route: Route,
  request: FastifyRequest,
): Either<ParleyError, RouteRequest<unknown, unknown, unknown>> => {
  const params = decodePart(route.params, request.params);
  if (either.isLeft(params)) return params;
  const query = decodePart(route.query, request.query);
  if (either.isLeft(query)) return query;
  const body = decodePart(route.body, request.body);
  if (either.isLeft(body)) return body;
  const key = idempotencyKeyOf(route, request.headers);
  if (either.isLeft(key)) return key;
  return either.right({
    params: params.right,
    query: query.right,
    body: body.right,
    actor: request.actor,
    address: addressKey(request.ip),
    correlationId: request.id,
    isGone: () => request.raw.socket.destroyed,
    idempotencyKey: key.right,
    headers: request.headers,
  });
};

export const mount = (app: FastifyInstance, prefix: string, route: Route, making: Making): void => {
  const unknownIn = unknownQuery(route);
  app.route({
    method: route.method,
    url: prefix + route.path,
    onRequest: admit(route, making),
    ...(route.bodyLimit === undefined ? {} : { bodyLimit: route.bodyLimit }),
    handler: async (request, reply) => {
      const unknown = unknownIn(request.query);
      if (unknown !== undefined) return sendError(reply, unknown, making);
      const decoded = decodeRequest(route, request);
      if (either.isLeft(decoded)) return sendError(reply, decoded.left, making);
      const made = await make(route, decoded.right, making);
      if (either.isLeft(made)) return sendError(reply, made.left, making);
      return sendReply(reply, made.right, () => mayCall(route, request, making));
    },
  });
};
