/** What every command handler is given, and the steps they share. */

import { randomUUID } from 'node:crypto';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import { idempotencyKey } from '../domain/recent-keys.ts';
import type { SnowflakeSource } from '../domain/snowflake.ts';
import type { EventLog } from '../log/port.ts';
import type { Presenter } from '../presenter/presenter.ts';
import type { Views } from '../projections/port.ts';
import type { Access } from '../projections/views/guild-views/access.ts';
import type { TimelineReader } from '../projections/views/timelines/view.ts';
import { type ParleyError, parleyError } from '../schemas/errors.ts';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import type { Tokens, Vault } from '../vault/port.ts';
import type { KeyRing } from '../vault/sealing.ts';
import type { DerivedIds } from './derived-ids.ts';
import type { Done, Mailboxes } from './mailbox.ts';
import type { OwnWrites } from './own-writes.ts';
import type { CommandContext, CommandOutcome, Ephemeral } from './port.ts';
import type { Processes } from './processes.ts';
import type { Cause } from './turn.ts';

export interface CommandDeps {
  readonly log: EventLog;
  readonly views: Views;
  /** Single messages as they are now, whatever the timelines lag. */
  readonly timelines: TimelineReader;
  readonly access: Access;
  readonly presenter: Presenter;
  readonly vault: Vault;
  readonly keys: KeyRing;
  readonly mailboxes: Mailboxes;
  readonly ownWrites: OwnWrites;
  readonly processes: Pick<Processes, 'settled'>;
  readonly ephemeral: Ephemeral;
  readonly ids: SnowflakeSource;
  /** Low bits for message ids. */
  readonly lowBits: () => bigint;
  readonly now: () => number;
  readonly tokens: Tokens;
  readonly creation: DerivedIds;
}

/** Passes once the command's limits and the caller's own writes allow it to go on. */
export type Gate = () => Promise<Either<ParleyError, void>>;

export type Answer = Either<ParleyError, CommandOutcome>;

export type Handler<Body> = (deps: CommandDeps, context: CommandContext, body: Body, gate: Gate) => Promise<Answer>;

export const refused = (name: Parameters<typeof parleyError>[0]) => either.left(parleyError(name));

/** How long an answer waits for the processes and views that must follow it. */
const FOLLOW_MS = 5000;

/** Without a key of the caller's every command is one of its own, whatever ids its request was sent with. */
export const causeOf = (context: CommandContext, kind: string): Cause => ({
  actor: context.actor.userId,
  key: idempotencyKey(context.actor.userId, kind, context.key ?? randomUUID()),
  correlationId: context.correlationId,
  causationId: null,
  traceparent: context.traceparent ?? null,
});

export const outcome = (stream: string, done: Done, result: unknown): Answer =>
  either.right({
    position: done.position,
    stream,
    sequence: done.events.at(-1)?.sequence ?? done.known ?? done.sequence,
    result,
  });

/** Whether what a key made before is what the caller asks for now; over HTTP the first is the answer either way. */
export const madeTheSame = async (
  deps: CommandDeps,
  context: CommandContext,
  stream: string,
  done: Done,
  same: (first: ParleyEvent) => boolean,
): Promise<boolean> => {
  if (done.events.length > 0 || context.onOtherContent === 'first') return true;
  const [first] = await deps.log.readStream({ stream, from: 1, limit: 1 });
  return first === undefined || same(first);
};

/** Waits until the guild views hold a position, so that the answer speaks of something everybody can see. */
export const followed = async (
  deps: Pick<CommandDeps, 'views'>,
  position: number,
): Promise<Either<ParleyError, void>> =>
  (await deps.views.progress('guild-views').whenProcessed(position, FOLLOW_MS))
    ? either.right(undefined)
    : either.left(parleyError('unavailable', { retryAfter: 1 }));

/** Waits for what a process does about the command, then for the views; the answer then speaks of something visible. */
export const settled = async (deps: CommandDeps, stream: string, key: string, { position }: Done) => {
  const last = await deps.processes.settled({ position, stream, key }, FOLLOW_MS);
  return last === undefined ? refused('unavailable') : followed(deps, last);
};
