/** Takes a command step by step from its fields to its outcome, and records that its caller must see the result. */

import { either } from 'fp-ts';
import type { Decision } from '../domain/decider.ts';
import { decode } from '../schemas/codecs.ts';
import { fieldError, type ParleyError, parleyError, StoreUnavailable } from '../schemas/errors.ts';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import type { Quota } from '../schemas/quota.ts';
import { type Soon, soon } from '../schemas/soon.ts';
import { CallerOrder } from './caller-order.ts';
import {
  ACCEPTED,
  type Asked,
  type Command,
  type CommandDeps,
  causeOf,
  NOTHING,
  outcome,
  type QueuedCommand,
  type Ready,
  type Result,
  repeatable,
  viewsHold,
  type WaitsFor,
  whenFollowedUp,
} from './command.ts';
import { type Limits, limitedError, type Taken } from './limits.ts';
import type { Done, Task } from './mailbox.ts';
import type { Cause } from './new-events.ts';
import type { OwnWrites } from './own-writes.ts';
import type { Answer, CommandBus, CommandOutcome } from './port.ts';
import type { Since } from './turn.ts';

type CommandsByType = ReadonlyMap<string, Command>;

const byType = (commands: readonly Command[]): CommandsByType => new Map(commands.map((one) => [one.type, one]));

/** @returns the command of the given type with its fields decoded, or which of the fields are wrong and how. */
const decodeCommand = (
  commands: CommandsByType,
  type: string,
  fields: unknown,
): Result<{ readonly command: Command; readonly fields: unknown }> => {
  const command = commands.get(type);
  if (command === undefined) {
    const message = `Must be one of ${[...commands.keys()].join(', ')}.`;
    return either.left(fieldError(['type'], 'BASE_TYPE_CHOICES', message));
  }
  const decoded = decode(command.codec, fields);
  return either.isLeft(decoded) ? decoded : either.right({ command, fields: decoded.right });
};

/** How the bus decodes what is submitted to it; exported for fakes of the bus. */
export const commandDecoder = (commands: readonly Command[]) => {
  const known = byType(commands);
  return (type: string, fields: unknown) => decodeCommand(known, type, fields);
};

interface Entrance {
  readonly limits: Limits;
  readonly ownWrites: OwnWrites;
  /** Commands in progress, by user. */
  readonly inProgress: Quota;
}

type AnyReady = Ready<unknown, unknown>;

const ALLOWED: Result<void> = either.right(undefined);

const passedIf = (seen: boolean): Result<void> =>
  seen ? ALLOWED : either.left(parleyError('unavailable', { retryAfter: 1 }));

const bothOf = (rights: Result<unknown>, prepared: Result<unknown>): Result<AnyReady> => {
  if (either.isLeft(rights)) return rights;
  return either.isLeft(prepared) ? prepared : either.right({ rights: rights.right, prepared: prepared.right });
};

/** A submitted command on its way. Thousands may be queued, so it is one object, and itself the task of its mailbox. */
class CommandTask implements Task<unknown, AnyReady> {
  /** Known from the fields, or once the command is prepared. */
  stream = '';
  readonly cause: Cause;
  /** State of the limit that applied. */
  limit: Taken | undefined;

  private readonly command: Command;
  private readonly asked: Asked<unknown>;
  private readonly deps: CommandDeps;
  private readonly entrance: Entrance;
  /** What it must wait for before it is queued. */
  private readonly before: Promise<void> | undefined;
  /** What a command without a known stream has read before it is queued. */
  private early: Result<AnyReady> | undefined;
  /** What it was decided by. */
  private ready: AnyReady | undefined;

  constructor(command: Command, asked: Asked<unknown>, deps: CommandDeps, entrance: Entrance, before?: Promise<void>) {
    this.before = before;
    this.command = command;
    this.asked = asked;
    this.cause = asked.cause;
    this.deps = deps;
    this.entrance = entrance;
  }

  run(): Promise<Result<CommandOutcome>> {
    return this.before === undefined ? this.begin() : this.before.then(() => this.begin());
  }

  private begin(): Promise<Result<CommandOutcome>> {
    const { command, asked } = this;
    if (!('stream' in command)) return this.beginUnqueued(command);
    this.stream = command.stream(asked.fields, asked.context.actor);
    return this.queue(command);
  }

  private async beginUnqueued(command: Command): Promise<Result<CommandOutcome>> {
    if ('carryOut' in command) {
      const passed = await this.gate();
      return either.isLeft(passed) ? passed : command.carryOut(this.asked, this.deps);
    }
    const early = await this.prepare();
    if (either.isLeft(early)) return early;
    this.early = early;
    if ('preparedStream' in command) this.stream = command.preparedStream(early.right.prepared);
    return this.queue(command);
  }

  private queue(command: QueuedCommand): Promise<Result<CommandOutcome>> {
    return this.deps.mailboxes
      .run(this)
      .then((result) => (either.isLeft(result) ? result : this.answered(command, result.right)));
  }

  /** Passes the gate only after the queue, so a command that waits at it keeps the place it got when submitted. */
  prepare(): Soon<Result<AnyReady>> {
    if (this.early !== undefined) return this.early;
    const passed = this.gate();
    return soon(passed, (gone) => this.afterGate(gone));
  }

  private afterGate(passed: Result<void>): Soon<Result<AnyReady>> {
    if (either.isLeft(passed)) return passed;
    const rights = this.readRights();
    return soon(rights, (read) => this.withRights(read));
  }

  private readRights(): Soon<Result<unknown>> {
    const { rights } = this.command as QueuedCommand;
    return rights === undefined ? ALLOWED : rights(this.asked, this.deps);
  }

  private withRights(rights: Result<unknown>): Soon<Result<AnyReady>> {
    const { prepare } = this.command as QueuedCommand;
    if (either.isLeft(rights)) return rights;
    const prepared: Soon<Result<unknown>> = prepare === undefined ? ALLOWED : prepare(this.asked, this.deps);
    return soon(prepared, (read) => bothOf(rights, read));
  }

  refresh(former: AnyReady): Soon<Result<AnyReady>> {
    const prepared = either.right(former.prepared);
    const rights = this.readRights();
    return soon(rights, (again) => bothOf(again, prepared));
  }

  decide(state: unknown, ready: AnyReady, since: Since): Soon<Decision> {
    this.ready = ready;
    const { rights, prepared } = ready;
    return (this.command as QueuedCommand).decide(state, { rights, prepared, since }, this.asked, this.deps);
  }

  /** Whether the command may go on, given its limits and the caller's own writes. */
  private gate(): Soon<Result<void>> {
    const { context } = this.asked;
    const counting = context.counted ? undefined : this.entrance.limits.everything(context.actor);
    return counting === undefined ? this.ownLimit(undefined) : counting.then((global) => this.ownLimit(global));
  }

  private ownLimit(global: Taken | undefined): Soon<Result<void>> {
    this.limit = global;
    if (global?.allowed === false) return either.left(limitedError(global));
    const { limit } = this.command;
    const { fields, context } = this.asked;
    const taking = limit && this.entrance.limits.command(context.actor, limit.bucket, limit.key(fields, context.actor));
    return taking === undefined ? this.ownWritesSeen() : taking.then((own) => this.withinLimit(own));
  }

  private withinLimit(own: Taken): Soon<Result<void>> {
    this.limit = own;
    return own.allowed ? this.ownWritesSeen() : either.left(limitedError(own));
  }

  private ownWritesSeen(): Soon<Result<void>> {
    const seen = this.entrance.ownWrites.structureSeen(this.asked.context.actor.userId);
    return soon(seen, passedIf);
  }

  /** The events of the command, or of the one that it repeats. */
  private eventsOf(command: QueuedCommand, done: Done): Soon<readonly ParleyEvent[]> {
    if (done.events.length > 0) return done.events;
    if (done.known.length > 0 || !('preparedStream' in command)) return done.known;
    // A stream that the command creates begins with the command's event.
    return this.deps.log.readStream({ stream: this.stream, from: 1, limit: 1 });
  }

  /** Completes the command once the log has stored it, now or earlier. */
  private answered(command: QueuedCommand, done: Done): Soon<Result<CommandOutcome>> {
    const events = this.eventsOf(command, done);
    const waitsFor: WaitsFor | undefined =
      typeof command.waitsFor === 'function' ? command.waitsFor(this.asked.fields) : command.waitsFor;
    // In a cluster nobody else begins it at once. Who does not wait for it learns nothing of how it ends.
    if (this.command.follow !== undefined && waitsFor !== 'processes') void this.deps.processes.finish(done.events);
    const isFirst = done.events.length > 0;
    const waits = waitsFor !== undefined && !(waitsFor === 'views-when-repeated' && isFirst);
    return waits || events instanceof Promise
      ? this.answeredLater(command, done, events, waits ? waitsFor : undefined)
      : this.withAnswer(command, done, events, done.position);
  }

  private async answeredLater(
    command: QueuedCommand,
    done: Done,
    reading: Soon<readonly ParleyEvent[]>,
    waitsFor: WaitsFor | undefined,
  ): Promise<Result<CommandOutcome>> {
    const { asked, deps, stream } = this;
    const events = await reading;
    let { position } = done;
    if (waitsFor === 'processes') position = await whenFollowedUp(deps, stream, asked.cause.key, done);
    else if (waitsFor !== undefined) {
      const last = events.at(-1);
      await viewsHold(deps, 'stream' in command && last !== undefined ? last.position : position);
    }
    return this.withAnswer(command, done, events, position);
  }

  private withAnswer(
    command: QueuedCommand,
    done: Done,
    events: readonly ParleyEvent[],
    position: number,
  ): Soon<Result<CommandOutcome>> {
    const { asked, deps, stream } = this;
    if (command.answer === undefined) return outcome(stream, done, NOTHING, position);
    const event = events.find(({ type }) => type === command.result) ?? events[0];
    const answered = (answer: Result<Answer>): Result<CommandOutcome> => {
      if (either.isLeft(answer)) return answer;
      const begun = event && command.names?.(event);
      return begun === undefined
        ? outcome(stream, done, answer.right, position)
        : either.right({ position, stream: begun, sequence: 1, answer: answer.right });
    };
    const failed = (failure: unknown): Result<CommandOutcome> => {
      if (failure instanceof StoreUnavailable) return outcome(stream, done, ACCEPTED, position);
      throw failure;
    };
    const { rights, prepared } = this.ready!;
    try {
      const answering: Soon<Result<Answer>> = command.answer({ rights, prepared, done, event }, asked, deps);
      return soon(answering, answered, failed);
    } catch (failure) {
      return failed(failure);
    }
  }
}

export const createCommandBus = (commands: readonly Command[], deps: CommandDeps, entrance: Entrance): CommandBus => {
  const known = byType(commands);
  const order = new CallerOrder();

  const submit: CommandBus['submit'] = async (context, type, sent) => {
    const decoded = decodeCommand(known, type, sent);
    if (either.isLeft(decoded)) return { outcome: decoded, limit: undefined };
    const { command, fields } = decoded.right;
    const wrong: ParleyError | undefined = command.check?.(fields);
    if (wrong !== undefined) return { outcome: either.left(wrong), limit: undefined };
    const { userId } = context.actor;
    if (!entrance.inProgress.take(userId))
      return { outcome: either.left(parleyError('tooManyCommands', { retryAfter: 1 })), limit: undefined };
    const inFields: string | undefined = command.keyIn?.(fields, context.actor);
    const asked = { fields, context, cause: causeOf(context, type, fields, inFields) };
    const task = new CommandTask(command, asked, deps, entrance, order.before(userId));
    const letGoOn = command.holdsUp === true ? order.holdUp(userId) : undefined;
    try {
      const carried = await task.run();
      const { limit } = task;
      if (either.isLeft(carried))
        return { outcome: either.left(repeatable(carried.left, context.key ?? inFields ?? null)), limit };
      const told = entrance.ownWrites.record(userId, carried.right.position, command.structural);
      if (told !== undefined) await told;
      return { outcome: carried, limit };
    } finally {
      entrance.inProgress.giveBack(userId);
      letGoOn?.();
    }
  };
  return { commands, submit };
};
