/** Which of a channel's messages are pinned, and since when. */

import { type ByType, handlerOf, type ParleyEvent, type TypesChanging } from '../../../schemas/events/catalogue.ts';
import { channelIdOf } from '../../../schemas/streams.ts';

export interface PinRow {
  readonly messageId: string;
  /** Milliseconds since 1970; unique within a channel. */
  readonly pinnedTime: number;
}

export interface PinReader {
  /** The last pinned first. With `before` (milliseconds since 1970), only messages pinned before it. */
  pinned(channelId: string, query: { readonly before?: number; readonly limit: number }): Promise<readonly PinRow[]>;
  /** Which of these messages are pinned. */
  pinnedAmong(channelId: string, messageIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** When the most recent of each channel's pins was set, in milliseconds since 1970; no entry for one without pins. */
  lastPinned(channelIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

/**
 * All positions are those of the events. A row is kept after its end, so that the view can be read as of an earlier
 * position.
 */
export type PinChange =
  | {
      readonly kind: 'pinned';
      readonly channelId: string;
      readonly messageId: string;
      readonly pinnedTime: number;
      readonly position: number;
    }
  | { readonly kind: 'unpinned'; readonly channelId: string; readonly messageId: string; readonly position: number };

const changeOf: ByType<TypesChanging<'pins'>, [], PinChange> = {
  'message-pinned': ({ stream, position, data: { messageId, pinnedTime } }) => ({
    kind: 'pinned',
    channelId: channelIdOf(stream)!,
    messageId,
    pinnedTime,
    position,
  }),
  'message-unpinned': ({ stream, position, data: { messageId } }) => ({
    kind: 'unpinned',
    channelId: channelIdOf(stream)!,
    messageId,
    position,
  }),
};

export const pinChanges = (events: readonly ParleyEvent[]): readonly PinChange[] => {
  const changes: PinChange[] = [];
  for (const event of events) {
    const change = handlerOf(changeOf, event)?.(event);
    if (change !== undefined) changes.push(change);
  }
  return changes;
};
