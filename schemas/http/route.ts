/** An HTTP route as a value: what it takes, who may call it, what it does. `http` mounts it; OpenAPI is generated from it. */

import type { Either } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import type { Actor } from '../actor.ts';
import { Snowflake } from '../codecs.ts';
import type { ParleyError } from '../errors.ts';
import type { AnswerShape } from './shapes.ts';

/** `public`: no token. `user`: any token. `administrator`: a token of an administrator of the instance. */
export type RequiredCaller = 'public' | 'user' | 'administrator';

export interface RouteRequest<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** Who is asking. On a public route nobody is looked up and the id is empty. */
  readonly actor: Actor;
  /** Client address in the form of `addressKey`. The one a proxy reports counts only if that proxy is trusted. */
  readonly address: string;
  readonly correlationId: string;
  /** Whether the caller has hung up, so that nobody reads the answer. */
  readonly isGone: () => boolean;
  /** The client's id for what a POST asks: a repeat is carried out once. Null without the header `Idempotency-Key`. */
  readonly idempotencyKey: string | null;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Reply {
  /** Default 200; 204 sends no body. */
  readonly status?: number;
  /** JSON, or a stream of lines paced by the connection's back-pressure. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Chunks of text or of UTF-8 bytes, some of them empty, sent as they come. Before each the caller's right is looked up
   * again, so a stream that waits has to yield now and then. Without the right the answer breaks off.
   */
  readonly stream?: AsyncIterable<string | Uint8Array>;
  /** The stream has no end of its own. Without the right it just ends, since nobody takes it for complete. */
  readonly endless?: boolean;
}

export interface Route<P = unknown, Q = unknown, B = unknown> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the mount point, with `:name` for parameters. */
  readonly path: string;
  readonly summary: string;
  readonly access: RequiredCaller;
  /** Discord has no such path, so no library sends it parameters of its own: unknown ones are refused. */
  readonly ours?: boolean;
  /** Takes a token whose sign-in has ended too, and looks itself whether this is a repeat. */
  readonly takesEnded?: boolean;
  readonly params?: t.Type<P, unknown, unknown>;
  readonly query?: t.Type<Q, unknown, unknown>;
  readonly body?: t.Type<B, unknown, unknown>;
  /** No field of the body is required alone, but one of several is. */
  readonly needsBody?: boolean;
  /** Longest body in bytes; the default is that of every route. */
  readonly bodyLimit?: number;
  /** Describes a success in the documentation. */
  readonly answers: string;
  /** What that looks like. Every route of the API says it; those of specs need not. */
  readonly answer?: AnswerShape;
  /** Of a success; default 200, or 204 where nothing is answered. */
  readonly status?: number;
  /** A POST that is no command and yet stores something: repeated under its `Idempotency-Key`, it does so once. */
  readonly keyed?: boolean;
  /** A command: it may have limits of its own, and its answer may come too late to show what it made. */
  readonly isCommand?: boolean;
  /**
   * What a query waits for before it takes a turn: other queries of its caller run meanwhile.
   * @returns why it is refused, if it is
   */
  readonly before?: (request: RouteRequest<P, Q, B>) => Promise<ParleyError | undefined>;
  readonly handle: (request: RouteRequest<P, Q, B>) => Promise<Either<ParleyError, Reply>>;
}

/** Whether its header `Idempotency-Key` counts. Other methods need none: repeated, they change nothing. */
export const takesKey = ({ method, isCommand, keyed }: Route): boolean =>
  method === 'POST' && (isCommand === true || keyed === true);

/** Ties the types of a route's codecs to its handler, while routes of all types can be in one list. */
export const route = <P = unknown, Q = unknown, B = unknown>(definition: Route<P, Q, B>): Route =>
  definition as unknown as Route;

/** Path parameters that several routes share. */
export const OnChannel = t.type({ channel_id: Snowflake });
export const OnGuild = t.type({ guild_id: Snowflake });
/** `@me`: of direct messages. */
export const OnGuildSettings = t.type({ guild_id: t.union([Snowflake, t.literal('@me')]) });
export const OnMessage = t.type({ channel_id: Snowflake, message_id: Snowflake });
