/**
 * The definition of a command: one value that holds everything about it. `features/` defines them, the bus runs them.
 */

import { randomUUID } from 'node:crypto';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import type { Decision } from '../domain/decider.ts';
import { idempotencyKey, type RecentKeys } from '../domain/recent-keys.ts';
import type { SnowflakeSource } from '../domain/snowflake.ts';
import type { EventLog } from '../log/port.ts';
import type { Views } from '../projections/port.ts';
import type { Access } from '../projections/views/guild-views/access.ts';
import type { TimelineReader } from '../projections/views/timelines/view.ts';
import type { Actor } from '../schemas/actor.ts';
import { type ErrorName, type ParleyError, parleyError, StoreUnavailable } from '../schemas/errors.ts';
import type { EventType, ParleyEvent } from '../schemas/events/catalogue.ts';
import type { Bounds } from '../schemas/settings.ts';
import type { Soon } from '../schemas/soon.ts';
import type { Tokens, Undo, Vault } from '../vault/port.ts';
import type { KeyRing } from '../vault/sealing.ts';
import type { Creating, CreationNames } from './creation-names.ts';
import type { CommandBucket, Limits } from './limits.ts';
import type { Done, Mailboxes } from './mailbox.ts';
import { type Cause, fingerprintOf } from './new-events.ts';
import type { OwnWrites } from './own-writes.ts';
import type { Answer, CommandContext, CommandOutcome, CommandRoute, CommandShape, Ephemeral } from './port.ts';
import type { FollowUps, Processes } from './processes.ts';
import type { Since } from './turn.ts';

export interface CommandDeps {
  readonly log: EventLog;
  readonly views: Views;
  /** The progress of the guild views as readers on every node know it. */
  readonly shared: Pick<Views, 'whenProcessed'>;
  /** Current single messages, however far the timelines lag. */
  readonly timelines: TimelineReader;
  readonly access: Access;
  readonly vault: Vault;
  readonly keys: KeyRing;
  readonly mailboxes: Mailboxes;
  readonly processes: Pick<Processes, 'whenFollowedUp' | 'finish'>;
  readonly ephemeral: Ephemeral;
  readonly ids: SnowflakeSource;
  readonly bounds: Bounds;
  readonly limits: Pick<Limits, 'slowmode'>;
  /** Low bits for message ids. */
  readonly lowBits: () => bigint;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly tokens: Tokens;
  readonly names: CreationNames;
  readonly ownWrites: Pick<OwnWrites, 'seen'>;
}

/** A command as a caller submitted it. */
export interface Asked<Fields> {
  readonly fields: Fields;
  readonly context: CommandContext;
  readonly cause: Cause;
}

/** A value, or why the command cannot be carried out. */
export type Result<A> = Either<ParleyError, A>;

/** The inputs of the decision. */
export interface Ready<Rights, Prepared> {
  readonly rights: Rights;
  readonly prepared: Prepared;
}

/** A command that its stream has decided and the log has stored. */
export interface Stored<Rights, Prepared> extends Ready<Rights, Prepared> {
  readonly done: Done;
  /** The command's result, or its first event; of a repeat that of the command that had its key before. */
  readonly event: ParleyEvent | undefined;
}

/**
 * What an answer waits for beyond the log: the views; the views, but only when the command repeats an earlier one; or
 * the processes that follow the command and then the views.
 */
export type WaitsFor = 'views' | 'views-when-repeated' | 'processes';

interface Described<K extends string, P extends t.Mixed, B extends t.Mixed> {
  readonly type: K;
  readonly summary: string;
  readonly route: CommandRoute;
  readonly params?: P;
  readonly body?: B;
  /** See `CommandShape`. */
  readonly query?: t.Mixed;
  /** Whether it changes membership or channels: the caller's next command then waits until the views hold this one. */
  readonly structural: boolean;
  /** It changes what its caller may do, so the caller's later commands wait for it, on whatever stream they are. */
  readonly holdsUp?: true;
  readonly limit?: {
    readonly bucket: CommandBucket;
    readonly key: (fields: t.TypeOf<P> & t.TypeOf<B>, actor: Actor) => string;
  };
  /**
   * The idempotency key that the fields hold, if any (of a nonce). It counts beside the one of the id that the transport
   * carries, and must never equal one of those. The events must say it too, so that the fold remembers it.
   */
  readonly keyIn?: (fields: t.TypeOf<P> & t.TypeOf<B>, actor: Actor) => string | undefined;
  /** What is wrong with the fields beyond their types. A refusal here does not count against any limit. */
  readonly check?: (fields: t.TypeOf<P> & t.TypeOf<B>) => ParleyError | undefined;
  /** The steps in other streams that follow the command's events, by event type. */
  readonly follow?: Partial<FollowUps>;
}

interface Steps<Fields, Rights, Prepared, State> {
  /** What other streams allow the caller to do. Read again when the command had to wait for its turn. */
  readonly rights?: (asked: Asked<Fields>, deps: CommandDeps) => Soon<Result<Rights>>;
  /**
   * Reads everything else that the decision needs from outside the stream. It refuses only what it will always refuse: a repeat
   * has its first answer whatever has changed since, and only the decision knows a repeat. See `unlessRepeated`.
   */
  readonly prepare?: (asked: Asked<Fields>, deps: CommandDeps) => Soon<Result<Prepared>>;
  readonly decide: (
    state: State,
    ready: Ready<Rights, Prepared> & { readonly since: Since },
    asked: Asked<Fields>,
    deps: CommandDeps,
  ) => Soon<Decision>;
  readonly waitsFor?: WaitsFor | ((fields: Fields) => WaitsFor);
  /** Which of the command's events is its result, where others of the same command may come before it. */
  readonly result?: EventType;
  /** The stream that begins with what the command creates, where that is not the stream it runs on. The outcome names it. */
  readonly names?: (event: ParleyEvent) => string | undefined;
  /** If absent, the answer is empty. */
  readonly answer?: (stored: Stored<Rights, Prepared>, asked: Asked<Fields>, deps: CommandDeps) => Soon<Result<Answer>>;
}

/** Runs on a stream that the fields name: it is queued at once and prepared while it waits. */
interface OnKnownStream<Fields, Rights, Prepared, State> extends Steps<Fields, Rights, Prepared, State> {
  readonly stream: (fields: Fields, actor: Actor) => string;
}

/** Runs on a stream that its preparation finds or creates: it is prepared first and queued afterwards. */
interface OnPreparedStream<Fields, Rights, Prepared, State> extends Steps<Fields, Rights, Prepared, State> {
  readonly preparedStream: (prepared: Prepared) => string;
}

/** Takes several steps, or stores nothing. */
interface InOwnWay<Fields> {
  readonly carryOut: (asked: Asked<Fields>, deps: CommandDeps) => Promise<Result<CommandOutcome>>;
}

// biome-ignore lint/suspicious/noExplicitAny: a list holds commands of all fields, rights and states; `command` has checked each
type AnyType = any;

export type QueuedCommand =
  | OnKnownStream<AnyType, AnyType, AnyType, AnyType>
  | OnPreparedStream<AnyType, AnyType, AnyType, AnyType>;

/** A command of any type. */
export type Command = CommandShape &
  Described<string, t.Mixed, t.Mixed> & { readonly codec: t.Type<AnyType, unknown, unknown> } & (
    | QueuedCommand
    | InOwnWay<AnyType>
  );

/** A command whose type and fields are known to the compiler. */
export type CommandOf<K extends string, Fields> = Command & {
  readonly type: K;
  /** Decodes the fields of path and body together. */
  readonly codec: t.Type<Fields, unknown, unknown>;
};

const NO_FIELDS = t.type({});
type NoFields = typeof NO_FIELDS;

/**
 * Defines a command. Its fields are those of its path and its body. Keep `rights`, `prepare` and `decide` in this
 * order: the compiler infers the type of each from the ones before it.
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

/** Refuses for a reason outside the stream what is no repeat and is not refused anyway. */
export const unlessRepeated = (
  refusal: ParleyError | undefined,
  { keys }: { readonly keys: RecentKeys },
  { key }: Cause,
  decision: Decision,
): Decision => (refusal === undefined || either.isLeft(decision) || keys.has(key) ? decision : either.left(refusal));

export const NOTHING: Answer = { kind: 'nothing' };
export const ACCEPTED: Answer = { kind: 'accepted' };

/** How long an answer waits for the processes and views that must follow it. */
export const FOLLOW_MS = 5000;

/**
 * Without a key from the caller every command is distinct, whatever ids its request carried.
 * @param inFields the key that the command's fields hold
 */
export const causeOf = (context: CommandContext, type: string, fields: unknown, inFields?: string): Cause => ({
  actor: context.actor.userId,
  key:
    context.key === null && inFields !== undefined
      ? inFields
      : idempotencyKey(context.actor.userId, type, context.key ?? randomUUID()),
  secondKey: context.key === null ? undefined : inFields,
  content: context.key === null ? undefined : fields,
  correlationId: context.correlationId,
  causationId: null,
  traceparent: context.traceparent ?? null,
  reason: context.reason,
});

/** What names the thing that a command creates: without a key from the client, nothing repeats the command. */
export const creating = (context: CommandContext, { key, actor, correlationId, traceparent }: Cause): Creating => ({
  key: context.key === null ? undefined : key,
  ...{ actor, correlationId, traceparent },
});

/** Refuses a command on several streams whose key another one has had before. */
export const refuseOther = async (
  { keys, names }: Pick<CommandDeps, 'keys' | 'names'>,
  { context, cause }: Pick<Asked<unknown>, 'context' | 'cause'>,
): Promise<Result<void>> => {
  await keys.load([cause.actor]);
  const content = fingerprintOf(cause, keys);
  return content === undefined ? either.right(undefined) : names.content(creating(context, cause), content);
};

/** What may be stored already can be asked again with the caller's own key, which finds it. Without one it would be doubled. */
export const repeatable = (error: ParleyError, key: string | null): ParleyError =>
  error.name === 'outcomeUnknown' && key !== null ? { ...error, retryAfter: 1 } : error;

/**
 * Puts the vault back when the log has not stored the event of a change: see `Vault`. When nobody knows whether it has, the
 * vault keeps the change, and a repeat under the same key completes it.
 * @returns the refusal, or that the outcome is unknown because the vault could not be put back
 */
export const putBack = async (refusal: ParleyError, undo: Undo): Promise<ParleyError> => {
  if (refusal.name === 'outcomeUnknown') return refusal;
  try {
    await undo();
    return refusal;
  } catch (failure) {
    if (failure instanceof StoreUnavailable) return parleyError('outcomeUnknown');
    throw failure;
  }
};

export const outcome = (
  stream: string,
  done: Done,
  answer: Answer,
  position: number = done.position,
): Result<CommandOutcome> =>
  either.right({
    position,
    stream,
    sequence: done.events.at(-1)?.sequence ?? done.known.at(-1)?.sequence ?? done.sequence,
    answer,
  });

// The command is stored by now. What is late makes no answer that invites a repeat: the answer is then made from what was
// decided.

/**
 * Waits until the guild views hold a position, so that everybody can see what the answer describes.
 * @returns false when that takes too long
 */
export const viewsHold = (deps: Pick<CommandDeps, 'shared'>, position: number): Promise<boolean> =>
  deps.shared.whenProcessed(position, FOLLOW_MS);

/**
 * Waits until the processes have followed up the command and the views hold the result, so that it is visible.
 * @returns position of the last follow-up, or that of the command when it takes too long
 */
export const whenFollowedUp = async (
  deps: Pick<CommandDeps, 'shared' | 'processes'>,
  stream: string,
  key: string,
  { position }: Done,
): Promise<number> => {
  const last = await deps.processes.whenFollowedUp({ position, stream, key }, FOLLOW_MS);
  if (last === undefined) return position;
  await viewsHold(deps, last);
  return last;
};
