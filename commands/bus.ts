/** Takes a command step by step from its fields to its outcome, and records that its caller must see the result. */

import { either } from 'fp-ts';
import type { Decision } from '../domain/decider.ts';
import { decode } from '../schemas/codecs.ts';
import { fieldError, type ParleyError, parleyError, StoreUnavailable } from '../schemas/errors.ts';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import type { Quota } from '../schemas/quota.ts';
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
import type { CommandBus, CommandOutcome } from './port.ts';
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

  async run(): Promise<Result<CommandOutcome>> {
    const { command, asked, deps } = this;
    if (this.before !== undefined) await this.before;
    if ('carryOut' in command) {
      const passed = await this.gate();
      return either.isLeft(passed) ? passed : command.carryOut(asked, deps);
    }
    if ('stream' in command) {
      this.stream = command.stream(asked.fields, asked.context.actor);
    } else {
      const early = await this.prepare();
      if (either.isLeft(early)) return early;
      this.early = early;
      this.stream = command.preparedStream(early.right.prepared);
    }
    const result = await deps.mailboxes.run(this);
    return either.isLeft(result) ? result : this.answered(command, result.right);
  }

  /** Passes the gate only after the queue, so a command that waits at it keeps the place it got when submitted. */
  async prepare(): Promise<Result<AnyReady>> {
    if (this.early !== undefined) return this.early;
    const { command, asked, deps } = this;
    const passed = await this.gate();
    if (either.isLeft(passed)) return passed;
    const { rights: readRights, prepare } = command as QueuedCommand;
    const rights: Result<unknown> = readRights === undefined ? ALLOWED : await readRights(asked, deps);
    if (either.isLeft(rights)) return rights;
    const prepared: Result<unknown> = prepare === undefined ? ALLOWED : await prepare(asked, deps);
    return either.isLeft(prepared) ? prepared : either.right({ rights: rights.right, prepared: prepared.right });
  }

  async refresh({ rights, prepared }: AnyReady): Promise<Result<AnyReady>> {
    const { rights: readRights } = this.command as QueuedCommand;
    if (readRights === undefined) return either.right({ rights, prepared });
    const again: Result<unknown> = await readRights(this.asked, this.deps);
    return either.isLeft(again) ? again : either.right({ rights: again.right, prepared });
  }

  decide(state: unknown, ready: AnyReady, since: Since): Decision | Promise<Decision> {
    this.ready = ready;
    const { rights, prepared } = ready;
    return (this.command as QueuedCommand).decide(state, { rights, prepared, since }, this.asked, this.deps);
  }

  /** Whether the command may go on, given its limits and the caller's own writes. Awaits only what is not settled yet. */
  private async gate(): Promise<Result<void>> {
    const { command } = this;
    const { fields, context } = this.asked;
    const { limits, ownWrites } = this.entrance;
    const { actor } = context;
    const counting = context.counted ? undefined : limits.everything(actor);
    const global = counting && (await counting);
    if (global?.allowed === false) {
      this.limit = global;
      return either.left(limitedError(global));
    }
    const taking = command.limit && limits.command(actor, command.limit.bucket, command.limit.key(fields, actor));
    this.limit = taking === undefined ? global : await taking;
    if (this.limit?.allowed === false) return either.left(limitedError(this.limit));
    const seen = ownWrites.structureSeen(actor.userId);
    return seen === true || (await seen) ? ALLOWED : either.left(parleyError('unavailable', { retryAfter: 1 }));
  }

  /** The events of the command, or of the one that it repeats. */
  private async eventsOf(command: QueuedCommand, done: Done): Promise<readonly ParleyEvent[]> {
    if (done.events.length > 0) return done.events;
    if (done.known.length > 0 || !('preparedStream' in command)) return done.known;
    // A stream that the command creates begins with the command's event.
    return this.deps.log.readStream({ stream: this.stream, from: 1, limit: 1 });
  }

  /** Completes the command once the log has stored it, now or earlier. */
  private async answered(command: QueuedCommand, done: Done): Promise<Result<CommandOutcome>> {
    const { asked, deps, stream } = this;
    const ready = this.ready!;
    const repeated = done.events.length === 0;
    const events = await this.eventsOf(command, done);
    const event = events.find(({ type }) => type === command.result) ?? events[0];
    let { position } = done;
    const waitsFor: WaitsFor | undefined =
      typeof command.waitsFor === 'function' ? command.waitsFor(asked.fields) : command.waitsFor;
    // In a cluster nobody else begins it at once. Who does not wait for it learns nothing of how it ends.
    if (this.command.follow !== undefined && waitsFor !== 'processes') void deps.processes.finish(done.events);
    if (waitsFor === 'processes') {
      position = await whenFollowedUp(deps, stream, asked.cause.key, done);
    } else if (waitsFor === 'views' || (waitsFor === 'views-when-repeated' && repeated)) {
      const last = events.at(-1);
      await viewsHold(deps, 'stream' in command && last !== undefined ? last.position : position);
    }
    if (command.answer === undefined) return outcome(stream, done, NOTHING, position);
    const { rights, prepared } = ready;
    try {
      const answer = await command.answer({ rights, prepared, done, event }, asked, deps);
      if (either.isLeft(answer)) return answer;
      const begun = event && command.names?.(event);
      return begun === undefined
        ? outcome(stream, done, answer.right, position)
        : either.right({ position, stream: begun, sequence: 1, answer: answer.right });
    } catch (failure) {
      if (failure instanceof StoreUnavailable) return outcome(stream, done, ACCEPTED, position);
      throw failure;
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
