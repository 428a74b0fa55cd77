/** The facts of one message, from its timeline and what the channel said since. */
import { evolveMessage, type MessageState } from '../domain/channel.ts';
import type { TimelineReader } from '../projections/timelines/port.ts';
import type { Since } from './turn.ts';

export interface About {
  readonly messageId: string;
  readonly userId?: string;
  readonly emoji?: string;
}

export interface StoredFacts {
  readonly through: number;
  readonly facts: MessageState | undefined;
}

/** First half, before the turn: what the timeline knows. */
export const storedFacts = (timelines: TimelineReader, channelId: string, about: About): Promise<StoredFacts> =>
  about.userId !== undefined && about.emoji !== undefined
    ? timelines.facts(channelId, about.messageId, { userId: about.userId, emoji: about.emoji })
    : timelines.facts(channelId, about.messageId);

/** Second half, inside the turn: brought up to the stream's end. */
export const currentFacts = async (
  stored: StoredFacts,
  about: About,
  since: Since,
): Promise<MessageState | undefined> => {
  let message: MessageState | undefined = stored.facts;
  for (const event of await since(stored.through)) {
    if (event.sequence > stored.through) message = evolveMessage(message, event, about);
  }
  return message;
};
