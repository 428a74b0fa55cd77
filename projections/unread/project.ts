/** From events to changes of heads, markers and mentions: one head and one marker for each that a batch moves. */
import type { Mentions, ParleyEvent } from '../../schemas/events/index.ts';
import { channelOf } from '../channel-of.ts';
import type { MentionTarget, UnreadChange } from './port.ts';

type Head = Extract<UnreadChange, { kind: 'head' }>;
type Read = Extract<UnreadChange, { kind: 'read' }>;

const targetsOf = ({ users, everyone }: Mentions): readonly MentionTarget[] =>
  everyone ? ['everyone', ...new Set(users)] : [...new Set(users)];

const mentionsOf = (event: ParleyEvent, channelId: string): UnreadChange | undefined => {
  switch (event.type) {
    case 'message-posted': {
      const { ordinal, mentions } = event.data;
      if (!mentions.everyone && mentions.users.length === 0) return undefined;
      return { kind: 'mentions', channelId, ordinal, targets: targetsOf(mentions), fresh: true };
    }
    case 'message-edited': {
      const { ordinal, mentions } = event.data;
      return { kind: 'mentions', channelId, ordinal, targets: targetsOf(mentions), fresh: false };
    }
    case 'message-deleted':
      return { kind: 'mentions', channelId, ordinal: event.data.ordinal, targets: [], fresh: false };
    default:
      return undefined;
  }
};

const headOf = (event: ParleyEvent, channelId: string, former: Head | undefined): Head => ({
  kind: 'head',
  channelId,
  sequence: event.sequence,
  position: event.position,
  posted:
    event.type === 'message-posted'
      ? { ordinal: event.data.ordinal, messageId: event.data.messageId }
      : (former?.posted ?? null),
});

export const unreadChanges = (events: readonly ParleyEvent[]): readonly UnreadChange[] => {
  const changes: UnreadChange[] = [];
  const heads = new Map<string, Head>();
  const own = new Map<string, Read>();
  for (const event of events) {
    if (event.type === 'channels-read') {
      for (const [channelId, ordinal] of Object.entries(event.data.channels)) {
        // The marker is clamped to the head as of this event, however the events are cut into batches.
        const head = heads.get(channelId);
        if (head !== undefined) changes.push(head);
        heads.delete(channelId);
        changes.push({ kind: 'read', userId: event.data.userId, channelId, ordinal, own: false });
      }
      continue;
    }
    const channelId = channelOf(event.stream);
    if (channelId === undefined) continue;
    heads.set(channelId, headOf(event, channelId, heads.get(channelId)));
    const mentions = mentionsOf(event, channelId);
    if (mentions !== undefined) changes.push(mentions);
    if (event.type === 'message-posted') {
      const { author: userId, ordinal } = event.data;
      own.set(`${userId}_${channelId}`, { kind: 'read', userId, channelId, ordinal, own: true });
    }
  }
  changes.push(...heads.values(), ...own.values());
  return changes;
};
