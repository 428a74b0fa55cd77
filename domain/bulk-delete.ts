/** Deleting several messages of a guild's channel at once. */

import type { DecidedEvent } from '../schemas/events/catalogue.ts';
import {
  type ChannelActor,
  type ChannelState,
  deniedToModerate,
  isPinned,
  type MessageState,
  shrunkBy,
  takenDown,
  withoutPin,
} from './channel.ts';
import { type Decision, happen, nothing, refuse } from './decider.ts';
import { snowflakeTime } from './snowflake.ts';

/** Messages older than this are deleted one by one, in milliseconds. */
export const BULK_DELETE_AGE = 14 * 24 * 60 * 60_000;

type Facts = Pick<MessageState, 'messageId' | 'ordinal' | 'author' | 'deleted'>;

interface BulkDelete extends ChannelActor {
  readonly key: string;
  /** The clock, in milliseconds since 1970. */
  readonly now: number;
  readonly messageIds: readonly string[];
  /** Those of them that the channel has. */
  readonly messages: readonly Facts[];
}

/** Ids that no message has are passed over. */
export const bulkDelete = (command: BulkDelete, state: ChannelState): Decision => {
  const refusal = deniedToModerate(command, state);
  if (refusal !== undefined) return refusal;
  if (state.keys.has(command.key)) return nothing;
  if (command.messageIds.some((id) => command.now - snowflakeTime(id) > BULK_DELETE_AGE))
    return refuse('tooOldToBulkDelete');
  // The message that a thread begins with stays.
  const first = state.settings?.thread?.isStarted === true ? 1 : 0;
  const left = command.messages.filter(({ deleted, ordinal }) => !deleted && ordinal > first);
  const messages = left.sort((a, b) => a.ordinal - b.ordinal);
  if (messages.length === 0) return nothing;
  const deleted = messages.map(({ messageId, ordinal, author }) => ({ messageId, ordinal, author }));
  return happen(
    ...allTakenDown(messages, command, state),
    { type: 'messages-deleted', data: { messages: deleted, guildId: command.guild?.id ?? null } },
    ...shrunkBy(messages.length, state),
  );
};

/** What a ban deletes, whoever may manage messages. A dispatch and an append hold so many at most. */
export const MOST_DELETED = 500;

/** @param by who banned their author */
export const deleteOfBanned = (by: string, messages: readonly Facts[], state: ChannelState): Decision => {
  if (messages.length === 0 || state.settings === undefined || state.settings.isDeleted === true) return nothing;
  const deleted = messages.map(({ messageId, ordinal, author }) => ({ messageId, ordinal, author }));
  const actor = { userId: by, guild: undefined, member: undefined };
  const { guildId } = state.settings;
  return happen(...allTakenDown(messages, actor, state), {
    type: 'messages-deleted',
    data: { messages: deleted, guildId },
  });
};

/** Of the messages that are pinned. */
const allTakenDown = (
  messages: readonly Facts[],
  actor: ChannelActor,
  state: Pick<ChannelState, 'pins'>,
): readonly DecidedEvent[] => {
  let left = state;
  return messages.flatMap((message) => {
    if (!isPinned(left, message.messageId)) return [];
    const event = takenDown(message, actor, left, true);
    left = { pins: withoutPin(left, message.messageId) };
    return [event];
  });
};
