/**
 * The way of live events to the gateways of a cluster. A projector publishes each batch of a partition; a gateway puts
 * the partitions together again, in position order, and fills from the log whatever did not arrive.
 */
import type { ParleyEvent } from '../../schemas/events/index.ts';
import type { Audience } from '../../schemas/streams.ts';
import type { BatchListener } from '../port.ts';

export interface FeedBatch {
  readonly partition: number;
  /** `through` of the partition's batch before; every event in between is in this one. */
  readonly from: number;
  readonly events: readonly ParleyEvent[];
  readonly through: number;
}

export interface FeedPublisher {
  /** Whole or not at all, and never before the batches of the same partition that were published earlier. */
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
   * missed: the subscription is confirmed, and what it came too late for was filled from the log.
   * Counted: an audience listened to twice must be left twice. Guild audiences are always listened to.
   */
  listen(audiences: readonly Audience[]): Promise<void>;
  leave(audiences: readonly Audience[]): void;
  stop(): Promise<void>;
}
