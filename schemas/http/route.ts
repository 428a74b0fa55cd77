/** An HTTP route as a value: what it takes, who may call it, what it does. `app` mounts it; OpenAPI is generated from it. */

import type { Either } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import type { Actor } from '../actor.ts';
import { Snowflake } from '../codecs.ts';
import type { ParleyError } from '../errors.ts';

/** `public`: no token. `user`: any token. `administrator`: a token of the person who administers the instance. */
export type Access = 'public' | 'user' | 'administrator';

export interface RouteRequest<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** Who asks; on a public route nobody has been looked up and the id is empty. */
  readonly actor: Actor;
  /** Client address, a proxy's word for it only where that proxy is trusted. */
  readonly address: string;
  readonly correlationId: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Reply {
  /** Default 200; 204 sends no body. */
  readonly status?: number;
  /** JSON, or a stream of lines that the connection's back-pressure paces. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pages of text, or of its bytes in UTF-8, sent as they come. */
  readonly stream?: AsyncIterable<string | Uint8Array>;
}

export interface Route<P = unknown, Q = unknown, B = unknown> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the mount point, with `:name` for parameters. */
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  readonly params?: t.Type<P, unknown, unknown>;
  readonly query?: t.Type<Q, unknown, unknown>;
  readonly body?: t.Type<B, unknown, unknown>;
  /** Says in the documentation what a success looks like. */
  readonly answers: string;
  readonly handle: (request: RouteRequest<P, Q, B>) => Promise<Either<ParleyError, Reply>>;
}

/** Keeps the types of one route's codecs and handler together while letting routes of all types stand in one list. */
export const route = <P = unknown, Q = unknown, B = unknown>(definition: Route<P, Q, B>): Route =>
  definition as unknown as Route;

/** What the paths of several routes name. */
export const OnChannel = t.type({ channel_id: Snowflake });
export const OnGuild = t.type({ guild_id: Snowflake });
export const OnMessage = t.type({ channel_id: Snowflake, message_id: Snowflake });
