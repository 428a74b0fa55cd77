/** Takes a decoded command through limits to its handler, and remembers that its caller must see what it did. */

import { either } from 'fp-ts';
import type { Command, CommandType } from '../schemas/commands/index.ts';
import { parleyError } from '../schemas/errors.ts';
import type { CommandDeps, Gate, Handler } from './command.ts';
import { createApplication } from './features/applications.ts';
import { createChannel, startTyping } from './features/channels.ts';
import { openDirect } from './features/direct-messages.ts';
import { createGuild } from './features/guilds.ts';
import { createInvite } from './features/invites.ts';
import { addBot, joinGuild, leaveGuild } from './features/members.ts';
import { deleteMessage, editMessage, sendMessage } from './features/messages.ts';
import { addReaction, removeReaction } from './features/reactions.ts';
import { markChannelRead } from './features/read-markers.ts';
import { type Limits, limitedError, type Taken } from './limits.ts';
import type { CommandBus, CommandContext, Submitted } from './port.ts';

const handlers = {
  'message.send': sendMessage,
  'message.edit': editMessage,
  'message.delete': deleteMessage,
  'reaction.add': addReaction,
  'reaction.remove': removeReaction,
  'channel.read': markChannelRead,
  'typing.start': startTyping,
  'guild.create': createGuild,
  'guild.join': joinGuild,
  'guild.leave': leaveGuild,
  'channel.create': createChannel,
  'invite.create': createInvite,
  'dm.create': openDirect,
  'bot.add': addBot,
  'application.create': createApplication,
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

export const createCommandBus = (deps: CommandDeps, limits: Limits): CommandBus => {
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
