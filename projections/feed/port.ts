/**
 * Carries live events to the gateways of a cluster. A projector publishes each batch of a partition. A gateway merges
 * the partitions in position order and reads from the log what did not arrive.
 */

import type { Takeover } from '../../coordination/port.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { Audience } from '../../schemas/streams.ts';
import type { EmptyRange } from '../engine/empty-ranges.ts';
import type { BatchListener } from '../engine/port.ts';

/** The transport of the feed: fast, and free to lose, delay and repeat messages. */
export interface TransportListener {
  onMessage(partition: number, channel: string, text: string): void;
  /** Subscriptions are in place again after some were lost. */
  onReconnect(): void;
}

export interface FeedTransport {
  start(listener: TransportListener): void;
  /**
   * Resolves once everything published from then on arrives; rejects if that is not possible now. A channel asked for
   * once is subscribed on every connection until `unsubscribe`. Asking again makes sure.
   */
  subscribe(partition: number, channels: readonly string[]): Promise<void>;
  unsubscribe(partition: number, channels: readonly string[]): void;
  stop(): void;
}

export interface FeedBatch {
  readonly partition: number;
  /** `through` of the partition's previous batch. Every event in between is in this batch. */
  readonly from: number;
  readonly events: readonly ParleyEvent[];
  readonly through: number;
  /** What is known of other partitions. */
  readonly empty?: readonly EmptyRange[];
}

export interface FeedPublisher {
  /**
   * Publishes the batches of a partition in order. A batch that rejects may have been published in part, which readers
   * notice; it may be published again.
   */
  publish(batch: FeedBatch): Promise<void>;
}

/** One process's end of the feed. */
export interface FeedReader {
  /** The watermark: every event at or below it that this process listens to has been handed over. */
  readonly position: number;
  /** Starts at the current head of the log. Calls the listener in position order and awaits each call. */
  start(onBatch: BatchListener): Promise<void>;
  /**
   * Listens to these audiences from now on. Resolves once nothing of theirs beyond the current watermark can be missed:
   * the subscription is confirmed, and the log filled in what was published before. Never rejects. Calls are counted:
   * an audience listened to twice must be left twice. Guild audiences are always listened to.
   */
  listen(audiences: readonly Audience[]): Promise<void>;
  leave(audiences: readonly Audience[]): void;
  /** Runs `read` between two batches, with the position through which everything is handed over. It must be short. */
  atRest<T>(read: (position: number) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

/** Somebody is typing. Sent to current listeners and never stored. */
export interface TypingTold {
  readonly channelId: string;
  readonly guildId: string | null;
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Tells what is never stored to the gateways that listen, on every node. Drops what cannot be sent now. */
export interface SignalPublisher {
  /** To those that listen to the channel. */
  typing(typing: TypingTold): void;
  /** To those that listen to the person, the sender too, and to all of them in one order. */
  takeover(takeover: Takeover): void;
}

/**
 * Why a range was read from the log. `chain`: a manifest before the one that arrived is missing. `pulse`: part of a
 * batch is missing. `stale`: events that the log has had for a while did not arrive. `reconnect`: the connection was
 * new. `subscription`: it was in place too late for the range.
 */
export type FillReason = 'chain' | 'pulse' | 'stale' | 'reconnect' | 'subscription';

export interface FeedMetrics {
  filled(reason: FillReason): void;
  /** How long an event waited, in milliseconds, from its arrival until all partitions had reached it. */
  released(delayMs: number): void;
}
