/**
 * Maps events to channels of the feed. A channel belongs to the partition of its streams, so its messages and that
 * partition's manifests stay in order.
 */
import { isCarried, type ParleyEvent } from '../../schemas/events/catalogue.ts';
import { type Audience, channelIdOf, channelStream, readStream } from '../../schemas/streams.ts';
import { partitionOf } from '../engine/partitions.ts';

/** Lists what was published in the other channels. Every gateway receives it. */
export const MANIFEST = 'manifest';
/** Guilds, channels, members, invites and users. Every gateway receives it. */
export const STRUCTURE = 'structure';

/** The messages of one Parley channel. */
const saidIn = (channelId: string): string => `c:${channelId}`;
/** One user's read markers, and resumes of their sessions. */
const readBy = (userId: string): string => `u:${userId}`;

export const feedChannelOf = (event: ParleyEvent): string => {
  if (isCarried(event, 'channel')) return saidIn(channelIdOf(event.stream)!);
  return isCarried(event, 'person') ? readBy(event.data.userId) : STRUCTURE;
};

export interface FeedChannel {
  readonly partition: number;
  readonly name: string;
}

/** Typing is published in the same channel as messages: gateways that listen to one receive both. */
export const channelFeed = (channelId: string, partitions: number): FeedChannel => ({
  partition: partitionOf(channelStream(channelId), partitions),
  name: saidIn(channelId),
});

/** Resumes are published in the same channel as the person's read markers. */
export const personFeed = (userId: string, partitions: number): FeedChannel => ({
  partition: partitionOf(readStream(userId), partitions),
  name: readBy(userId),
});

/** The channel to subscribe to for an audience; `undefined` if every gateway receives it anyway. */
export const feedOf = (audience: Audience, partitions: number): FeedChannel | undefined => {
  const colon = audience.indexOf(':');
  const id = audience.slice(colon + 1);
  switch (audience.slice(0, colon)) {
    case 'channel':
      return channelFeed(id, partitions);
    case 'user':
      return personFeed(id, partitions);
    default:
      return undefined;
  }
};

/** The feed channels this process listens to, and the position from which each can be relied on. */
export interface Listened {
  readonly partition: number;
  readonly name: string;
  count: number;
  /** The subscription is in place: messages that do not arrive from now on count as missing. */
  required: boolean;
  /** Resolves once nothing published in it can be missed. */
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

  /** @returns the audiences' channels without duplicates, and which of them are new */
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
