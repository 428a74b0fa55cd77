/** Message timelines: the messages of a channel, by message id. */

import type { MessageState } from '../../../domain/channel.ts';
import type { Sealed } from '../../../schemas/envelope.ts';
import {
  type ByType,
  type EventOf,
  handlerOf,
  type ParleyEvent,
  type TypesChanging,
} from '../../../schemas/events/catalogue.ts';
import type { Mentions } from '../../../schemas/events/channel.ts';
import { channelIdOf } from '../../../schemas/streams.ts';

export interface ReactionCount {
  readonly emoji: string;
  readonly count: number;
  /** Whether the requesting user is among them. */
  readonly me: boolean;
}

export interface MessageRow {
  readonly channelId: string;
  readonly id: string;
  readonly ordinal: number;
  /** Sequence and position of the event that posted it. */
  readonly sequence: number;
  readonly position: number;
  readonly author: string;
  readonly time: number;
  readonly editedTime: number | null;
  /** Discord's number for the message type: `MessageType`. */
  readonly type: number;
  readonly replyTo: string | null;
  readonly mentions: Mentions;
  readonly flags: number;
  readonly nonce: string | number | null;
  /** Null once deleted. */
  readonly sealed: Sealed | null;
  /** Id of the event in which the text was sealed. */
  readonly sealedIn: string;
  readonly deleted: boolean;
  readonly reactions: readonly ReactionCount[];
}

/** A page on one side of a message, or the newest. */
export type SideQuery =
  | { readonly limit: number }
  | { readonly before: string; readonly limit: number }
  | { readonly after: string; readonly limit: number };

interface AroundQuery {
  readonly around: string;
  readonly limit: number;
}

export type PageQuery = SideQuery | AroundQuery;

/** A page around a message as two pages: the newer one begins with the message, the older one follows it. */
export const halvesOf = ({ around, limit }: AroundQuery) => {
  const half = Math.floor(limit / 2);
  return {
    newer: { after: String(BigInt(around) - 1n), limit: limit - half },
    older: { before: around, limit: half },
  };
};

export interface TimelineReader {
  /**
   * Newest first, without deleted messages. `before` and `after` exclude the message they name, `around` includes it.
   */
  page(channelId: string, query: PageQuery, viewer: string): Promise<readonly MessageRow[]>;
  /** `undefined` if there is none; a deleted message is returned as such. */
  message(channelId: string, messageId: string, viewer: string): Promise<MessageRow | undefined>;
  messages(channelId: string, messageIds: readonly string[], viewer: string): Promise<readonly MessageRow[]>;
  /** Facts, read together with the sequence of the last channel event they include (0: none). */
  facts(
    channelId: string,
    messageId: string,
    reaction?: { readonly userId: string; readonly emoji: string },
  ): Promise<{ readonly through: number; readonly facts: MessageState | undefined }>;
  /** Ids of the users who reacted, in ascending order, beyond `after`, which need not be among them. */
  reactors(
    channelId: string,
    messageId: string,
    emoji: string,
    query: { after?: string; limit: number },
  ): Promise<readonly string[]>;
  /** Which of these messages are deleted. */
  deletedAmong(channelId: string, messageIds: readonly string[]): Promise<ReadonlySet<string>>;
}

/** `ordinal` is the message's: stores that split a channel into partitions find the row by it. */
export type TimelineChange =
  | { readonly kind: 'posted'; readonly message: MessageRow }
  | {
      readonly kind: 'edited';
      readonly channelId: string;
      readonly messageId: string;
      readonly ordinal: number;
      readonly sequence: number;
      readonly time: number;
      readonly mentions: Mentions;
      /** Null: as they were. */
      readonly flags: number | null;
      readonly sealed: Sealed;
      readonly sealedIn: string;
    }
  | {
      readonly kind: 'deleted';
      readonly channelId: string;
      readonly messageId: string;
      readonly ordinal: number;
      readonly sequence: number;
    }
  | {
      readonly kind: 'reacted' | 'unreacted';
      readonly channelId: string;
      readonly messageId: string;
      readonly ordinal: number;
      readonly userId: string;
      readonly emoji: string;
      readonly sequence: number;
    }
  | {
      readonly kind: 'flagged';
      readonly channelId: string;
      readonly messageId: string;
      readonly ordinal: number;
      readonly flags: number;
      readonly sequence: number;
    }
  | {
      readonly kind: 'cleared';
      readonly channelId: string;
      readonly messageId: string;
      readonly ordinal: number;
      /** Whose reactions are taken back; null: of all. */
      readonly emoji: string | null;
      readonly sequence: number;
    }
  /** The channel's events up to `sequence` are in the changes before this one. */
  | { readonly kind: 'through'; readonly channelId: string; readonly sequence: number };

export interface TimelineWriter {
  /** Applies the changes in order. All earlier events of the channel's stream must have been applied. */
  apply(changes: readonly TimelineChange[]): void | Promise<void>;
}

/** A new message's timeline row, as the event creates it. */
export const rowOfPosted = (event: EventOf<'message-posted'>): MessageRow => ({
  channelId: channelIdOf(event.stream)!,
  id: event.data.messageId,
  ordinal: event.data.ordinal,
  sequence: event.sequence,
  position: event.position,
  author: event.data.author,
  time: event.time,
  editedTime: null,
  type: event.data.messageType,
  replyTo: event.data.replyTo,
  mentions: event.data.mentions,
  flags: event.data.flags,
  nonce: event.data.nonce,
  sealed: event.data.sealed,
  sealedIn: event.id,
  deleted: false,
  reactions: [],
});

const reactionChange = (
  kind: 'reacted' | 'unreacted',
  { data, sequence }: EventOf<'reaction-added'> | EventOf<'reaction-removed'>,
  channelId: string,
): TimelineChange => ({
  kind,
  channelId,
  messageId: data.messageId,
  ordinal: data.ordinal,
  userId: data.userId,
  emoji: data.emoji,
  sequence,
});

/** Maps events to timeline changes. */
const changesOf: ByType<TypesChanging<'timelines'>, [channelId: string], TimelineChange | readonly TimelineChange[]> = {
  'message-posted': (event) => ({ kind: 'posted', message: rowOfPosted(event) }),
  'message-edited': (event, channelId) => ({
    kind: 'edited',
    channelId,
    messageId: event.data.messageId,
    ordinal: event.data.ordinal,
    sequence: event.sequence,
    time: event.time,
    mentions: event.data.mentions,
    flags: event.data.flags,
    sealed: event.data.sealed,
    sealedIn: event.id,
  }),
  'message-deleted': (event, channelId) => ({
    kind: 'deleted',
    channelId,
    messageId: event.data.messageId,
    ordinal: event.data.ordinal,
    sequence: event.sequence,
  }),
  'embeds-suppressed': ({ sequence, data: { messageId, ordinal, flags } }, channelId) => ({
    ...{ kind: 'flagged', channelId, messageId, ordinal, flags, sequence },
  }),
  'message-threaded': ({ sequence, data: { messageId, ordinal, flags } }, channelId) => ({
    ...{ kind: 'flagged', channelId, messageId, ordinal, flags, sequence },
  }),
  'messages-deleted': ({ sequence, data: { messages } }, channelId) =>
    messages.map(({ messageId, ordinal }) => ({ kind: 'deleted', channelId, messageId, ordinal, sequence })),
  'reaction-added': (event, channelId) => reactionChange('reacted', event, channelId),
  'reaction-removed': (event, channelId) => reactionChange('unreacted', event, channelId),
  'reactions-cleared': ({ sequence, data: { messageId, ordinal, emoji } }, channelId) => ({
    ...{ kind: 'cleared', channelId, messageId, ordinal, emoji, sequence },
  }),
};

/** Adds one `through` at the end for each channel that the events touch. */
export const timelineChanges = (events: readonly ParleyEvent[]): readonly TimelineChange[] => {
  const changes: TimelineChange[] = [];
  const through = new Map<string, number>();
  for (const event of events) {
    const channelId = channelIdOf(event.stream);
    if (channelId === undefined) continue;
    through.set(channelId, Math.max(event.sequence, through.get(channelId) ?? 0));
    const made = handlerOf(changesOf, event)?.(event, channelId);
    if (made === undefined) continue;
    if ('kind' in made) changes.push(made);
    else changes.push(...made);
  }
  for (const [channelId, sequence] of through) changes.push({ kind: 'through', channelId, sequence });
  return changes;
};
