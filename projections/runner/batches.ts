/** Cuts a batch after every event that changes who may see what. */
import type { EventType, ParleyEvent } from '../../schemas/events/index.ts';

const CHANGES_RIGHTS: ReadonlySet<EventType> = new Set([
  'channel-created',
  'guild-created',
  'member-joined',
  'member-left',
  'dm-opened',
  'user-registered',
]);

export const changesRights = (event: ParleyEvent): boolean => CHANGES_RIGHTS.has(event.type);

/** When a listener handles such an event, the views stand exactly at its position. */
export const cutAtRightsChanges = (events: readonly ParleyEvent[]): readonly (readonly ParleyEvent[])[] => {
  const batches: (readonly ParleyEvent[])[] = [];
  let start = 0;
  for (let i = 0; i < events.length; i += 1) {
    if (!changesRights(events[i]!)) continue;
    batches.push(events.slice(start, i + 1));
    start = i + 1;
  }
  if (start === 0) return [events];
  if (start < events.length) batches.push(events.slice(start));
  return batches;
};
