/** Takes a decoded command through limits to its handler, and remembers that its caller must see what it did. */
import { either } from 'fp-ts';
import type { Command, CommandType } from '../schemas/commands/index.ts';
import { parleyError } from '../schemas/errors.ts';
import type { CommandDeps, Gate, Handler } from './handler.ts';
import * as guilds from './handlers/guilds.ts';
import * as messages from './handlers/messages.ts';
import * as people from './handlers/people.ts';
import { type Limits, limitedError, type Taken } from './limits/index.ts';
import type { CommandContext, Dispatcher, Submitted } from './port.ts';

const handlers = {
  'message.send': messages.sendMessage,
  'message.edit': messages.editMessage,
  'message.delete': messages.deleteMessage,
  'reaction.add': messages.addReaction,
  'reaction.remove': messages.removeReaction,
  'channel.read': people.markChannelRead,
  'typing.start': people.startTyping,
  'guild.create': guilds.createGuild,
  'guild.join': guilds.joinGuild,
  'guild.leave': guilds.leaveGuild,
  'channel.create': guilds.createChannel,
  'invite.create': guilds.createInvite,
  'dm.create': people.openDirect,
  'bot.add': guilds.addBot,
  'application.create': people.createApplication,
} satisfies { [K in CommandType]: Handler<Extract<Command, { type: K }>['body']> };

/** Commands that change nothing about who is where: the caller's next command need not wait for the views. */
const withoutStructure: ReadonlySet<CommandType> = new Set([
  'message.send',
  'message.edit',
  'message.delete',
  'reaction.add',
  'reaction.remove',
  'channel.read',
  'typing.start',
]);

export const createDispatcher = (deps: CommandDeps, limits: Limits): Dispatcher => {
  const submit = async (context: CommandContext, command: Command): Promise<Submitted> => {
    const { actor } = context;
    let limit: Taken | undefined;

    // Runs inside the handler, after the command has its place in the queue of its stream: order is kept.
    const gate: Gate = async () => {
      // Nothing is waited for that need not be: most commands pass here at once.
      const counting = context.counted ? undefined : limits.everything(actor);
      const global = counting && (await counting);
      if (global?.allowed === false) {
        limit = global;
        return either.left(limitedError(global));
      }
      const taking = limits.command(actor, command);
      limit = taking === undefined ? global : await taking;
      if (limit?.allowed === false) return either.left(limitedError(limit));
      const seen = deps.ownWrites.structureSeen(actor.userId);
      return seen === true || (await seen)
        ? either.right(undefined)
        : either.left(parleyError('unavailable', { retryAfter: 1 }));
    };

    const handler = handlers[command.type] as Handler<unknown>;
    const outcome = await handler(deps, context, command.body, gate);
    if (either.isRight(outcome)) {
      const structural = !withoutStructure.has(command.type);
      const told = deps.ownWrites.record(actor.userId, outcome.right.position, structural);
      if (told !== undefined) await told;
    }
    return { outcome, limit };
  };
  return { submit };
};
