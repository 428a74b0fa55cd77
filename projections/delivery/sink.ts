/** Delivery as one of the projections that follow the distribution log: it stores nothing, it publishes. */
import type { LogReader } from '../../log/port.ts';
import type { PartitionBatch, PartitionStore } from '../runner/partition-store.ts';
import type { FeedPublisher } from './port.ts';

export interface DeliverySinkOptions {
  readonly publisher: FeedPublisher;
  readonly log: Pick<LogReader, 'head'>;
  /** Of the distribution log. */
  readonly partitions: number;
  /** A batch could not be published. Gateways notice, and read it from the log. */
  readonly onDropped: (batch: PartitionBatch, error: unknown) => void;
}

/** Goes on whatever becomes of a batch: what is not published now is of no use to anybody later. */
export const deliverySink = ({ publisher, log, partitions, onDropped }: DeliverySinkOptions): PartitionStore => ({
  name: 'delivery',
  /** Who takes over begins where the log ends: what lies between gateways have read from it, or do so now. */
  async checkpoints() {
    const head = await log.head();
    return Array.from({ length: partitions }, () => head);
  },
  async commit(batch) {
    try {
      await publisher.publish(batch);
    } catch (error) {
      onDropped(batch, error);
    }
  },
  async repair() {},
  kindOf: () => 'transient',
  async flush() {},
});
