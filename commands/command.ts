/** What a command is: one value that says all there is to know of it. `features/` holds them, the bus carries them out. */

import { randomUUID } from 'node:crypto';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import type { Decision } from '../domain/decider.ts';
import { idempotencyKey } from '../domain/recent-keys.ts';
import type { SnowflakeSource } from '../domain/snowflake.ts';
import type { EventLog } from '../log/port.ts';
import type { Views } from '../projections/port.ts';
import type { Access } from '../projections/views/guild-views/access.ts';
import type { TimelineReader } from '../projections/views/timelines/view.ts';
import type { Actor } from '../schemas/actor.ts';
import { type ErrorName, type ParleyError, parleyError } from '../schemas/errors.ts';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import type { Tokens, Vault } from '../vault/port.ts';
import type { KeyRing } from '../vault/sealing.ts';
import type { DerivedIds } from './derived-ids.ts';
import type { CommandBucket } from './limits.ts';
import type { Done, Mailboxes } from './mailbox.ts';
import type { Answer, CommandContext, CommandOutcome, CommandRoute, CommandShape, Ephemeral } from './port.ts';
import type { FollowUps, Processes } from './processes.ts';
import type { Cause, Since } from './turn.ts';

export interface CommandDeps {
  readonly log: EventLog;
  readonly views: Views;
  /** Single messages as they are now, whatever the timelines lag. */
  readonly timelines: TimelineReader;
  readonly access: Access;
  readonly vault: Vault;
  readonly keys: KeyRing;
  readonly mailboxes: Mailboxes;
  readonly processes: Pick<Processes, 'whenFollowedUp'>;
  readonly ephemeral: Ephemeral;
  readonly ids: SnowflakeSource;
  /** Low bits for message ids. */
  readonly lowBits: () => bigint;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly tokens: Tokens;
  readonly derivedIds: DerivedIds;
}

/** A command that somebody has given. */
export interface Asked<Fields> {
  readonly fields: Fields;
  readonly context: CommandContext;
  readonly cause: Cause;
}

/** A value, or why the command cannot be carried out. */
export type Result<A> = Either<ParleyError, A>;

/** What stands ready when the command is decided. */
export interface Ready<Rights, Prepared> {
  readonly rights: Rights;
  readonly prepared: Prepared;
}

/** A command that its stream has decided and the log has stored. */
export interface Stored<Rights, Prepared> extends Ready<Rights, Prepared> {
  readonly done: Done;
  /** The command's first event, or the one that carried its key before; only where `same` says how to tell. */
  readonly event: ParleyEvent | undefined;
}

/**
 * What an answer waits for beyond the log: for the views to hold the command; only when the command was carried out
 * before; for what processes do about it, and then for the views.
 */
export type WaitsFor = 'views' | 'views-when-repeated' | 'processes';

interface Described<K extends string, P extends t.Mixed, B extends t.Mixed> {
  readonly type: K;
  readonly summary: string;
  readonly route: CommandRoute;
  readonly params?: P;
  readonly body?: B;
  /** Whether it changes who is where: the caller's next command then waits until the views hold this one. */
  readonly structural: boolean;
  readonly limit?: {
    readonly bucket: CommandBucket;
    readonly key: (fields: t.TypeOf<P> & t.TypeOf<B>, actor: Actor) => string;
  };
  /** The client's id for the command where its way of coming here has none: `null` promises nothing on a retry. */
  readonly keyIn?: (fields: t.TypeOf<P> & t.TypeOf<B>) => string | null;
  /** What is wrong with the fields beyond their form. Refuses before anything is counted. */
  readonly check?: (fields: t.TypeOf<P> & t.TypeOf<B>) => ParleyError | undefined;
  /** The steps in other streams that follow its events, by the event's type. */
  readonly follow?: Partial<FollowUps>;
}

interface Steps<Fields, Rights, Prepared, State> {
  /** What other streams say the caller may do. Read again when the command had to wait for its turn. */
  readonly rights?: (asked: Asked<Fields>, deps: CommandDeps) => Promise<Result<Rights>>;
  /** Reads whatever else the decision needs from outside the stream. */
  readonly prepare?: (asked: Asked<Fields>, deps: CommandDeps) => Promise<Result<Prepared>>;
  readonly decide: (
    state: State,
    ready: Ready<Rights, Prepared> & { readonly since: Since },
    asked: Asked<Fields>,
    deps: CommandDeps,
  ) => Decision | Promise<Decision>;
  /**
   * Whether an event is what this command asks for. A key that is known is refused where its event is not; over HTTP
   * what was carried out first is the answer either way.
   */
  readonly same?: (
    event: ParleyEvent,
    asked: Asked<Fields>,
    deps: CommandDeps,
    prepared: Prepared,
  ) => boolean | Promise<boolean>;
  readonly waitsFor?: WaitsFor;
  /** Left out: nothing. */
  readonly answer?: (
    stored: Stored<Rights, Prepared>,
    asked: Asked<Fields>,
    deps: CommandDeps,
  ) => Promise<Result<Answer>>;
}

/** On a stream that the fields name: it is queued there at once, and prepared while it waits. */
interface OnKnownStream<Fields, Rights, Prepared, State> extends Steps<Fields, Rights, Prepared, State> {
  readonly stream: (fields: Fields, actor: Actor) => string;
}

/** On a stream that only its preparation finds or makes: it is prepared first, and queued then. */
interface OnPreparedStream<Fields, Rights, Prepared, State> extends Steps<Fields, Rights, Prepared, State> {
  readonly preparedStream: (prepared: Prepared) => string;
}

/** In more than one step, or in none that is stored. */
interface InOwnWay<Fields> {
  readonly carryOut: (asked: Asked<Fields>, deps: CommandDeps) => Promise<Result<CommandOutcome>>;
}

// biome-ignore lint/suspicious/noExplicitAny: a list holds commands of all fields, rights and states; `command` has checked each
type AnyType = any;

export type QueuedCommand =
  | OnKnownStream<AnyType, AnyType, AnyType, AnyType>
  | OnPreparedStream<AnyType, AnyType, AnyType, AnyType>;

/** A command of whatever fields. */
export type Command = CommandShape &
  Described<string, t.Mixed, t.Mixed> & { readonly codec: t.Type<AnyType, unknown, unknown> } & (
    | QueuedCommand
    | InOwnWay<AnyType>
  );

/** A command whose type and fields the compiler knows. */
export type CommandOf<K extends string, Fields> = Command & {
  readonly type: K;
  /** Of path and body together. */
  readonly codec: t.Type<Fields, unknown, unknown>;
};

const NO_FIELDS = t.type({});
type NoFields = typeof NO_FIELDS;

/**
 * Defines a command. Its fields are those of its path and of its body. `rights`, `prepare` and `decide` stand in this
 * order, so that the compiler knows in each what those before it come to.
 */
export const command = <
  const K extends string,
  Rights,
  Prepared,
  State,
  P extends t.Mixed = NoFields,
  B extends t.Mixed = NoFields,
>(
  definition: Described<K, P, B> &
    (
      | OnKnownStream<t.TypeOf<P> & t.TypeOf<B>, Rights, Prepared, State>
      | OnPreparedStream<t.TypeOf<P> & t.TypeOf<B>, Rights, Prepared, State>
      | InOwnWay<t.TypeOf<P> & t.TypeOf<B>>
    ),
): CommandOf<K, t.TypeOf<P> & t.TypeOf<B>> => {
  const parts: t.Mixed[] = [definition.params, definition.body].filter((part) => part !== undefined);
  const codec = parts.length === 2 ? t.intersection([parts[0]!, parts[1]!]) : (parts[0] ?? NO_FIELDS);
  return { ...definition, codec } as unknown as CommandOf<K, t.TypeOf<P> & t.TypeOf<B>>;
};

export const refused = (name: ErrorName) => either.left(parleyError(name));

export const NOTHING: Answer = { kind: 'nothing' };

/** How long an answer waits for the processes and views that must follow it. */
const FOLLOW_MS = 5000;

/** Without a key of the caller's every command is one of its own, whatever ids its request was sent with. */
export const causeOf = (context: CommandContext, type: string): Cause => ({
  actor: context.actor.userId,
  key: idempotencyKey(context.actor.userId, type, context.key ?? randomUUID()),
  correlationId: context.correlationId,
  causationId: null,
  traceparent: context.traceparent ?? null,
});

export const outcome = (stream: string, done: Done, answer: Answer): Result<CommandOutcome> =>
  either.right({
    position: done.position,
    stream,
    sequence: done.events.at(-1)?.sequence ?? done.known ?? done.sequence,
    answer,
  });

/** Waits until the guild views hold a position, so that the answer speaks of something everybody can see. */
export const viewsHold = async (deps: Pick<CommandDeps, 'views'>, position: number): Promise<Result<void>> =>
  (await deps.views.progress('guild-views').whenProcessed(position, FOLLOW_MS))
    ? either.right(undefined)
    : either.left(parleyError('unavailable', { retryAfter: 1 }));

/** Waits for what a process does about the command, then for the views; the answer then speaks of something visible. */
export const whenFollowedUp = async (
  deps: Pick<CommandDeps, 'views' | 'processes'>,
  stream: string,
  key: string,
  { position }: Done,
): Promise<Result<void>> => {
  const last = await deps.processes.whenFollowedUp({ position, stream, key }, FOLLOW_MS);
  return last === undefined ? refused('unavailable') : viewsHold(deps, last);
};
