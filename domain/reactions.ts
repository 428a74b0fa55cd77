/** Reactions to a channel's messages. */

import {
  type ChannelState,
  denied,
  deniedInArchive,
  deniedToModerate,
  type MessageState,
  type OnMessage,
  rightsIn,
} from './channel.ts';
import { type Decision, happen, nothing, refuse } from './decider.ts';
import { Permission } from './permissions.ts';

export const MAX_REACTIONS = 20;

interface React extends OnMessage {
  readonly emoji: string;
}

const reactionData = (message: MessageState, command: React, userId = command.userId) => ({
  messageId: message.messageId,
  ordinal: message.ordinal,
  author: message.author,
  userId,
  emoji: command.emoji,
});

export const addReaction = (command: React, state: ChannelState): Decision => {
  const rights = rightsIn(state, command);
  const { message } = command;
  const present = message?.reactions.has(command.emoji) ?? false;
  const wanted = Permission.readMessageHistory | (present ? 0n : Permission.addReactions);
  const refusal = denied(rights, wanted);
  if (refusal !== undefined) return refusal;
  if (state.keys.has(command.key)) return nothing;
  if (message === undefined || message.deleted) return refuse('unknownMessage');
  const archived = deniedInArchive(state);
  if (archived !== undefined) return archived;
  if (message.reacted) return nothing;
  if (command.blocked === true) return refuse('reactionBlocked');
  if (!present && message.reactions.size >= MAX_REACTIONS) return refuse('tooManyReactions');
  return happen({ type: 'reaction-added', data: reactionData(message, command) });
};

export const removeReaction = (command: React, state: ChannelState): Decision => {
  const refusal = denied(rightsIn(state, command), Permission.readMessageHistory);
  if (refusal !== undefined) return refusal;
  if (state.keys.has(command.key)) return nothing;
  const { message } = command;
  if (message === undefined || message.deleted) return refuse('unknownMessage');
  const archived = deniedInArchive(state);
  if (archived !== undefined) return archived;
  return message.reacted ? happen({ type: 'reaction-removed', data: reactionData(message, command) }) : nothing;
};

/** Takes back somebody's reaction. `message.reacted` is about that person. */
export const removeReactionOf = (command: React & { readonly of: string }, state: ChannelState): Decision => {
  if (command.of === command.userId) return removeReaction(command, state);
  const refusal = deniedToModerate(command, state);
  if (refusal !== undefined) return refusal;
  if (state.keys.has(command.key)) return nothing;
  const { message } = command;
  if (message === undefined || message.deleted) return refuse('unknownMessage');
  const archived = deniedInArchive(state);
  if (archived !== undefined) return archived;
  if (!message.reacted) return nothing;
  return happen({ type: 'reaction-removed', data: reactionData(message, command, command.of) });
};

/** Takes back everybody's reactions. */
export const clearReactions = (
  command: OnMessage & {
    /** Only those with this emoji; null: all. */
    readonly emoji: string | null;
  },
  state: ChannelState,
): Decision => {
  const refusal = deniedToModerate(command, state);
  if (refusal !== undefined) return refusal;
  if (state.keys.has(command.key)) return nothing;
  const { message, emoji } = command;
  if (message === undefined || message.deleted) return refuse('unknownMessage');
  const archived = deniedInArchive(state);
  if (archived !== undefined) return archived;
  if (emoji === null ? message.reactions.size === 0 : !message.reactions.has(emoji)) return nothing;
  const { messageId, ordinal, author } = message;
  return happen({ type: 'reactions-cleared', data: { messageId, ordinal, author, emoji } });
};
