/** Takes a command step by step from its fields to its outcome, and records that its caller must see the result. */

import { either } from 'fp-ts';
import { decode } from '../schemas/codecs.ts';
import { fieldError, type ParleyError, parleyError } from '../schemas/errors.ts';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import {
  type Asked,
  type Command,
  type CommandDeps,
  causeOf,
  NOTHING,
  outcome,
  type QueuedCommand,
  type Ready,
  type Result,
  refused,
  viewsHold,
  whenFollowedUp,
} from './command.ts';
import { type Limits, limitedError, type Taken } from './limits.ts';
import type { Done } from './mailbox.ts';
import type { OwnWrites } from './own-writes.ts';
import type { CommandBus, CommandContext, CommandOutcome, Submitted } from './port.ts';

type Commands = ReadonlyMap<string, Command>;

const byType = (commands: readonly Command[]): Commands => new Map(commands.map((one) => [one.type, one]));

/** @returns the command of the given type with its fields decoded, or which of the fields are wrong and how. */
const decodeCommand = (
  commands: Commands,
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

/** What a command needs besides its stream, once it may go on. */
const prepared = async (
  command: QueuedCommand,
  asked: Asked<unknown>,
  deps: CommandDeps,
): Promise<Result<Ready<unknown, unknown>>> => {
  const rights: Result<unknown> =
    command.rights === undefined ? either.right(undefined) : await command.rights(asked, deps);
  if (either.isLeft(rights)) return rights;
  const more: Result<unknown> =
    command.prepare === undefined ? either.right(undefined) : await command.prepare(asked, deps);
  return either.isLeft(more) ? more : either.right({ rights: rights.right, prepared: more.right });
};

/** The first event of the command, now or when its key was first used. */
const firstOf = async (
  command: QueuedCommand,
  deps: CommandDeps,
  stream: string,
  done: Done,
): Promise<ParleyEvent | undefined> => {
  if (command.same === undefined || done.events.length > 0) return done.events[0];
  // A stream that the command creates begins with the command's event.
  const from = 'preparedStream' in command ? 1 : done.known;
  return from === undefined ? undefined : (await deps.log.readStream({ stream, from, limit: 1 }))[0];
};

/** Completes the command once the log has stored it, now or earlier. */
const answered = async (
  command: QueuedCommand,
  asked: Asked<unknown>,
  deps: CommandDeps,
  stream: string,
  ready: Ready<unknown, unknown>,
  done: Done,
): Promise<Result<CommandOutcome>> => {
  const repeated = done.events.length === 0;
  const event = await firstOf(command, deps, stream, done);
  if (repeated && event !== undefined && command.same !== undefined && asked.context.onOtherContent === 'refuse') {
    if (!(await command.same(event, asked, deps, ready.prepared))) return refused('keyReused');
  }
  if (command.waitsFor === 'processes') {
    const followed = await whenFollowedUp(deps, stream, asked.cause.key, done);
    if (either.isLeft(followed)) return followed;
  } else if (command.waitsFor === 'views' || (command.waitsFor === 'views-when-repeated' && repeated)) {
    const held = await viewsHold(deps, 'stream' in command && event !== undefined ? event.position : done.position);
    if (either.isLeft(held)) return held;
  }
  if (command.answer === undefined) return outcome(stream, done, NOTHING);
  const answer = await command.answer({ ...ready, done, event }, asked, deps);
  return either.isLeft(answer) ? answer : outcome(stream, done, answer.right);
};

/** Resolves when the command may go on, given its limits and the caller's own writes. */
type Gate = () => Promise<Result<void>>;

const carryOut = async (
  command: Command,
  asked: Asked<unknown>,
  deps: CommandDeps,
  gate: Gate,
): Promise<Result<CommandOutcome>> => {
  const { cause } = asked;
  if ('carryOut' in command) {
    const passed = await gate();
    return either.isLeft(passed) ? passed : command.carryOut(asked, deps);
  }
  let ready: Ready<unknown, unknown> | undefined;
  const run = (stream: string, prepare: () => Promise<Result<Ready<unknown, unknown>>>) =>
    deps.mailboxes.run({
      stream,
      cause,
      prepare,
      ...(command.rights === undefined
        ? {}
        : {
            refresh: async (former: Ready<unknown, unknown>) => {
              const rights: Result<unknown> = await command.rights!(asked, deps);
              return either.isLeft(rights) ? rights : either.right({ ...former, rights: rights.right });
            },
          }),
      decide: (state, { rights, prepared }: Ready<unknown, unknown>, since) => {
        ready = { rights, prepared };
        return command.decide(state, { rights, prepared, since }, asked, deps);
      },
    });
  let stream: string;
  let result: Result<Done>;
  if ('stream' in command) {
    stream = command.stream(asked.fields, asked.context.actor);
    // The gate comes after the queue: a command that waits at it keeps the place it got when it was submitted.
    result = await run(stream, async () => {
      const passed = await gate();
      return either.isLeft(passed) ? passed : prepared(command, asked, deps);
    });
  } else {
    const passed = await gate();
    if (either.isLeft(passed)) return passed;
    const first = await prepared(command, asked, deps);
    if (either.isLeft(first)) return first;
    stream = command.preparedStream(first.right.prepared);
    result = await run(stream, async () => first);
  }
  return either.isLeft(result) ? result : answered(command, asked, deps, stream, ready!, result.right);
};

interface Entrance {
  readonly limits: Limits;
  readonly ownWrites: OwnWrites;
}

export const createCommandBus = (
  commands: readonly Command[],
  deps: CommandDeps,
  { limits, ownWrites }: Entrance,
): CommandBus => {
  const known = byType(commands);

  const submit = async (given: CommandContext, type: string, sent: unknown): Promise<Submitted> => {
    const decoded = decodeCommand(known, type, sent);
    if (either.isLeft(decoded)) return { outcome: decoded, limit: undefined };
    const { command, fields } = decoded.right;
    const wrong: ParleyError | undefined = command.check?.(fields);
    if (wrong !== undefined) return { outcome: either.left(wrong), limit: undefined };
    const { actor } = given;
    const key = given.key ?? command.keyIn?.(fields) ?? null;
    const context = key === given.key ? given : { ...given, key };
    let limit: Taken | undefined;

    const gate: Gate = async () => {
      // Awaits only what is not settled yet: most commands pass here at once.
      const counting = context.counted ? undefined : limits.everything(actor);
      const global = counting && (await counting);
      if (global?.allowed === false) {
        limit = global;
        return either.left(limitedError(global));
      }
      const taking = command.limit && limits.command(actor, command.limit.bucket, command.limit.key(fields, actor));
      limit = taking === undefined ? global : await taking;
      if (limit?.allowed === false) return either.left(limitedError(limit));
      const seen = ownWrites.structureSeen(actor.userId);
      return seen === true || (await seen)
        ? either.right(undefined)
        : either.left(parleyError('unavailable', { retryAfter: 1 }));
    };

    const carried = await carryOut(command, { fields, context, cause: causeOf(context, type) }, deps, gate);
    if (either.isRight(carried)) {
      const told = ownWrites.record(actor.userId, carried.right.position, command.structural);
      if (told !== undefined) await told;
    }
    return { outcome: carried, limit };
  };
  return { commands, submit };
};
