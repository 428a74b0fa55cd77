/** From events to timeline changes. */
import type { ParleyEvent } from '../../schemas/events/index.ts';
import { channelOf } from '../channel-of.ts';
import type { TimelineChange } from './port.ts';
import { rowOfPosted } from './posted-row.ts';

const changeOf = (event: ParleyEvent, channelId: string): TimelineChange | undefined => {
  switch (event.type) {
    case 'message-posted':
      return { kind: 'posted', message: rowOfPosted(event) };
    case 'message-edited':
      return {
        kind: 'edited',
        channelId,
        messageId: event.data.messageId,
        ordinal: event.data.ordinal,
        sequence: event.sequence,
        time: event.time,
        mentions: event.data.mentions,
        sealed: event.data.sealed,
        sealedIn: event.id,
      };
    case 'message-deleted':
      return {
        kind: 'deleted',
        channelId,
        messageId: event.data.messageId,
        ordinal: event.data.ordinal,
        sequence: event.sequence,
      };
    case 'reaction-added':
    case 'reaction-removed':
      return {
        kind: event.type === 'reaction-added' ? 'reacted' : 'unreacted',
        channelId,
        messageId: event.data.messageId,
        ordinal: event.data.ordinal,
        userId: event.data.userId,
        emoji: event.data.emoji,
        sequence: event.sequence,
      };
    default:
      return undefined;
  }
};

/** One `through` for each channel the events touch, at the end. */
export const timelineChanges = (events: readonly ParleyEvent[]): readonly TimelineChange[] => {
  const changes: TimelineChange[] = [];
  const through = new Map<string, number>();
  for (const event of events) {
    const channelId = channelOf(event.stream);
    if (channelId === undefined) continue;
    through.set(channelId, Math.max(event.sequence, through.get(channelId) ?? 0));
    const change = changeOf(event, channelId);
    if (change !== undefined) changes.push(change);
  }
  for (const [channelId, sequence] of through) changes.push({ kind: 'through', channelId, sequence });
  return changes;
};
