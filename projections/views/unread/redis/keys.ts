/**
 * Names of the keys of one generation. All keys of one partition of the distribution log share a hash tag, and so a
 * slot of a Redis Cluster. So one script stores a batch and its checkpoint atomically.
 */
import { channelStream, readStream } from '../../../../schemas/streams.ts';
import { script } from '../../../../stores/redis/connection.ts';
import { partitionOf } from '../../../engine/partitions.ts';
import commit from './keep-counts.lua';
import heads from './read-heads.lua';
import markers from './read-markers.lua';
import own from './read-own.lua';
import states from './read-states.lua';

// Functions that run inside Redis. Ordinals, sequences and positions are compared as numbers, which are exact below
// 2^53. They are stored as the original text, because Lua writes large numbers as `1e+15`. Ids never become numbers.

export const COMMIT = script(commit);
export const HEADS = script(heads);
export const MARKERS = script(markers);
export const OWN = script(own);
export const STATES = script(states);

/** Where the unread counts of one installation are. */
export interface UnreadPlace {
  /** Prefix of every key of the installation. */
  readonly namespace: string;
  readonly generation: number;
  /**
   * Number of partitions of the distribution log. Another number needs another generation, because keys would have
   * other places.
   */
  readonly partitions: number;
}

export class Keys {
  readonly partitions: number;
  private readonly prefix: string;
  private readonly tags: readonly string[];

  constructor({ namespace, generation, partitions }: UnreadPlace) {
    this.prefix = `${namespace}:u${generation}`;
    this.partitions = partitions;
    this.tags = Array.from({ length: partitions }, (_, partition) => `{${this.prefix}:${partition}}`);
  }

  partitionOfChannel(channelId: string): number {
    return partitionOf(channelStream(channelId), this.partitions);
  }

  partitionOfUser(userId: string): number {
    return partitionOf(readStream(userId), this.partitions);
  }

  /** Hash: `through`, the partition's checkpoint; `whole`, the checkpoint from which on nothing is missing. */
  at(partition: number): string {
    return `${this.tags[partition]}:at`;
  }

  /**
   * Hash: `o` and `m`, ordinal and id of the channel's last message; `s` and `p`, sequence and position of its last
   * event.
   */
  head(channelId: string): string {
    return `${this.ofChannel(channelId)}:head:${channelId}`;
  }

  /** Hash by user: the ordinal of the last message they posted in the channel. */
  own(channelId: string): string {
    return `${this.ofChannel(channelId)}:own:${channelId}`;
  }

  /**
   * Sorted set with equal scores: `<target>:<ordinal>`, the ordinal with sixteen digits, so that a range is counted in
   * one step.
   */
  mentions(channelId: string): string {
    return `${this.ofChannel(channelId)}:mentions:${channelId}`;
  }

  /** Hash by ordinal: the targets the message mentions, separated by spaces, which an edit or deletion removes. */
  targets(channelId: string): string {
    return `${this.ofChannel(channelId)}:targets:${channelId}`;
  }

  /** Hash by channel: the ordinal up to which the user has read. */
  markers(userId: string): string {
    return `${this.tags[this.partitionOfUser(userId)]}:read:${userId}`;
  }

  /** Matches every key of the generation. */
  get pattern(): string {
    return `{${this.prefix}:*}:*`;
  }

  private ofChannel(channelId: string): string {
    return this.tags[this.partitionOfChannel(channelId)]!;
  }
}
