/** A timeline row as the event made it, before anything happened to the message. */
import type { EventOf } from '../../schemas/events/index.ts';
import { channelStream } from '../../schemas/streams.ts';
import type { MessageRow } from './port.ts';

const PREFIX = channelStream('').length;

export const rowOfPosted = (event: EventOf<'message-posted'>): MessageRow => ({
  channelId: event.stream.slice(PREFIX),
  id: event.data.messageId,
  ordinal: event.data.ordinal,
  sequence: event.sequence,
  position: event.position,
  author: event.data.author,
  time: event.time,
  editedTime: null,
  replyTo: event.data.replyTo,
  mentions: event.data.mentions,
  flags: event.data.flags,
  nonce: event.data.nonce,
  sealed: event.data.sealed,
  sealedIn: event.id,
  deleted: false,
  reactions: [],
});
