/** Sending, editing, deleting, reacting: commands on the stream of a channel. */
import * as channel from '../../domain/channel.ts';
import { isEmoji } from '../../domain/emoji.ts';
import type { CommandBody } from '../../schemas/commands/index.ts';
import { type Handler, refused } from '../command.ts';
import { onMessage } from './messages.ts';

type Reaction = CommandBody<'reaction.add'>;

const reaction =
  (kind: 'reaction.add' | 'reaction.remove', decide: typeof channel.addReaction): Handler<Reaction> =>
  async (deps, context, command, gate) => {
    if (!isEmoji(command.emoji)) return refused('unknownEmoji');
    return onMessage(deps, context, kind, command, gate, (on, state) => decide({ ...on, emoji: command.emoji }, state));
  };

export const addReaction = reaction('reaction.add', channel.addReaction);
export const removeReaction = reaction('reaction.remove', channel.removeReaction);
