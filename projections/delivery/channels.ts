/**
 * Which channel of the feed an event goes through. A channel belongs to a partition, that of the streams it tells of,
 * so what is published in it and the partition's manifests stay in order.
 */
import type { ParleyEvent } from '../../schemas/events/index.ts';
import { type Audience, channelStream, readStream } from '../../schemas/streams.ts';
import { channelOf } from '../channel-of.ts';
import { partitionOf } from '../partitions.ts';

/** Says what was published in the others. Heard by every gateway. */
export const MANIFEST = 'manifest';
/** Who and what there is: guilds, channels, members, invites, people. Heard by every gateway. */
export const STRUCTURE = 'structure';

/** What is said in one channel of Parley. */
const saidIn = (channelId: string): string => `c:${channelId}`;
/** How far one person has read. */
const readBy = (userId: string): string => `u:${userId}`;

export const feedChannelOf = (event: ParleyEvent): string => {
  switch (event.type) {
    case 'message-posted':
    case 'message-edited':
    case 'message-deleted':
    case 'reaction-added':
    case 'reaction-removed':
      return saidIn(channelOf(event.stream) ?? event.stream);
    case 'channels-read':
      return readBy(event.data.userId);
    default:
      return STRUCTURE;
  }
};

export interface FeedChannel {
  readonly partition: number;
  readonly name: string;
}

/** Where those who type in a channel are told of, too: whoever listens to the channel hears them. */
export const channelFeed = (channelId: string, partitions: number): FeedChannel => ({
  partition: partitionOf(channelStream(channelId), partitions),
  name: saidIn(channelId),
});

/** What is to be subscribed for an audience; `undefined` where it is heard anyway. */
export const feedOf = (audience: Audience, partitions: number): FeedChannel | undefined => {
  const colon = audience.indexOf(':');
  const id = audience.slice(colon + 1);
  switch (audience.slice(0, colon)) {
    case 'channel':
      return channelFeed(id, partitions);
    case 'user':
      return { partition: partitionOf(readStream(id), partitions), name: readBy(id) };
    default:
      return undefined;
  }
};
