/**
 * The way of live events to the gateways of a cluster. A projector publishes each batch of a partition; a gateway puts
 * the partitions together again, in position order, and fills from the log whatever did not arrive.
 */

import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { Audience } from '../../schemas/streams.ts';
import type { BatchListener } from '../engine/port.ts';

/** What carries the feed: fast, and free to lose, to delay and to repeat. */
export interface TransportListener {
  onMessage(partition: number, channel: string, text: string): void;
  /** Subscriptions are in place again after some were lost. */
  onReconnect(): void;
}

export interface FeedTransport {
  start(listener: TransportListener): void;
  /**
   * Resolves when what is published from then on arrives; rejects when that cannot be now. Asked for once, it is subscribed
   * whenever there is a connection, until `unsubscribe`; asking again makes sure.
   */
  subscribe(partition: number, channels: readonly string[]): Promise<void>;
  unsubscribe(partition: number, channels: readonly string[]): void;
  stop(): void;
}

export interface FeedBatch {
  readonly partition: number;
  /** `through` of the partition's batch before; every event in between is in this one. */
  readonly from: number;
  readonly events: readonly ParleyEvent[];
  readonly through: number;
}

export interface FeedPublisher {
  /**
   * Never before the batches of the same partition that were published earlier. One that rejects may have been published in
   * part, which readers notice; it may be published again.
   */
  publish(batch: FeedBatch): Promise<void>;
}

/** One process's end of the feed. */
export interface FeedReader {
  /** The watermark: every event at or below it that this process listens to has been handed over. */
  readonly position: number;
  /** Begins at the log's head as it is now. Batches in position order, the next when the promise of the one before resolves. */
  start(onBatch: BatchListener): Promise<void>;
  /**
   * From now on these audiences are listened to. Resolves when nothing of theirs beyond the watermark of this moment can be
   * missed: the subscription is confirmed, and what it came too late for was filled from the log. Never rejects.
   * Counted: an audience listened to twice must be left twice. Guild audiences are always listened to.
   */
  listen(audiences: readonly Audience[]): Promise<void>;
  leave(audiences: readonly Audience[]): void;
  /** Runs `read` between two batches, with the position through which everything is handed over. It must be short. */
  atRest<T>(read: (position: number) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

/** Somebody types: told to who is listening now, and never stored. */
export interface TypingTold {
  readonly channelId: string;
  readonly guildId: string | null;
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** To the gateways that listen to the channel, on every node. What cannot be told now is dropped. */
export interface TypingPublisher {
  typing(typing: TypingTold): void;
}

/**
 * Why a range was read from the log. `chain`: a manifest before the one that arrived is missing; `pulse`: a part of a batch is;
 * `stale`: nothing came of what the log has had for a while; `reconnect`; `subscription`: it came too late for a range.
 */
export type FillReason = 'chain' | 'pulse' | 'stale' | 'reconnect' | 'subscription';

export interface FeedMetrics {
  filled(reason: FillReason): void;
  /** An event waited so long, in milliseconds, from its arrival until all partitions had got there. */
  released(delayMs: number): void;
}
