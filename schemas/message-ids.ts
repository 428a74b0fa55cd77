/** Which messages an event of a channel is about. */
import type { ParleyEvent } from './events/catalogue.ts';

const NONE: readonly string[] = [];

/** Ids of the messages that the event deletes. */
export const deletedBy = (event: ParleyEvent): readonly string[] => {
  if (event.type === 'message-deleted') return [event.data.messageId];
  return event.type === 'messages-deleted' ? event.data.messages.map(({ messageId }) => messageId) : NONE;
};

/** Ids of the messages that the event posts or changes. */
export const messagesOf = (event: ParleyEvent): readonly string[] =>
  'messageId' in event.data ? [event.data.messageId] : deletedBy(event);
