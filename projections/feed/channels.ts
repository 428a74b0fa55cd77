/**
 * Which channel of the feed an event goes through. A channel belongs to a partition, that of the streams it tells of,
 * so what is published in it and the partition's manifests stay in order.
 */
import { isCarried, type ParleyEvent } from '../../schemas/events/catalogue.ts';
import { type Audience, channelIdOf, channelStream, readStream } from '../../schemas/streams.ts';
import { partitionOf } from '../engine/partitions.ts';

/** Says what was published in the others. Heard by every gateway. */
export const MANIFEST = 'manifest';
/** Who and what there is: guilds, channels, members, invites, people. Heard by every gateway. */
export const STRUCTURE = 'structure';

/** What is said in one channel of Parley. */
const saidIn = (channelId: string): string => `c:${channelId}`;
/** How far one person has read. */
const readBy = (userId: string): string => `u:${userId}`;

export const feedChannelOf = (event: ParleyEvent): string => {
  if (isCarried(event, 'channel')) return saidIn(channelIdOf(event.stream)!);
  return isCarried(event, 'person') ? readBy(event.data.userId) : STRUCTURE;
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

/** Which channels of the feed this process listens to, and from when on it relies on that. */
export interface Listened {
  readonly partition: number;
  readonly name: string;
  count: number;
  /** Its subscription is in place: what is published in it and does not arrive is missed. */
  required: boolean;
  /** Resolves when nothing of it can be missed any more. */
  ready: Promise<void>;
}

export class Listening {
  private readonly partitions: number;
  private readonly channels = new Map<string, Listened>();

  constructor(partitions: number) {
    this.partitions = partitions;
  }

  hears(channel: string): boolean {
    return channel === STRUCTURE || this.channels.has(channel);
  }

  requires(channel: string): boolean {
    return channel === STRUCTURE || this.channels.get(channel)?.required === true;
  }

  /** @returns the audiences' channels, each once, and which of them are new */
  add(audiences: readonly Audience[]): { readonly all: readonly Listened[]; readonly fresh: readonly Listened[] } {
    const all = new Set<Listened>();
    const fresh: Listened[] = [];
    for (const audience of audiences) {
      const feed = feedOf(audience, this.partitions);
      if (feed === undefined) continue;
      let one = this.channels.get(feed.name);
      if (one === undefined) {
        one = { ...feed, count: 0, required: false, ready: Promise.resolve() };
        this.channels.set(feed.name, one);
        fresh.push(one);
      }
      one.count += 1;
      all.add(one);
    }
    return { all: [...all], fresh };
  }

  /** @returns the channels that nobody listens to any more */
  remove(audiences: readonly Audience[]): readonly Listened[] {
    const left: Listened[] = [];
    for (const audience of audiences) {
      const feed = feedOf(audience, this.partitions);
      const one = feed === undefined ? undefined : this.channels.get(feed.name);
      if (one === undefined) continue;
      one.count -= 1;
      if (one.count > 0) continue;
      this.channels.delete(one.name);
      left.push(one);
    }
    return left;
  }
}

export const byPartition = (channels: readonly Listened[]): ReadonlyMap<number, readonly Listened[]> => {
  const grouped = new Map<number, Listened[]>();
  for (const one of channels) {
    const group = grouped.get(one.partition);
    if (group === undefined) grouped.set(one.partition, [one]);
    else group.push(one);
  }
  return grouped;
};
