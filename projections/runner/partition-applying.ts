/** Gets the batches of a partition into the store, whatever happens. */
import type { DistributionLogger } from '../relay/port.ts';
import { CheckpointMoved, type PartitionBatch, type PartitionStore } from './partition-store.ts';
import { retrying } from './retrying.ts';

/** Of a `PartitionStore`, what is needed to follow the distribution log into it; delivery has no more. */
export type PartitionSink = Pick<PartitionStore, 'name' | 'checkpoints' | 'commit' | 'kindOf' | 'flush'>;

export class PartitionApplying {
  private readonly sink: PartitionSink;
  private readonly logger: DistributionLogger;

  constructor(sink: PartitionSink, logger: DistributionLogger) {
    this.sink = sink;
    this.logger = logger;
  }

  /** @throws CheckpointMoved, Stopped */
  apply(batch: PartitionBatch, signal: AbortSignal): Promise<void> {
    const { partition, from } = batch;
    return retrying(() => this.sink.commit(batch), {
      signal,
      again: (failure) => !(failure instanceof CheckpointMoved),
      onRetry: (err, attempt, nextMs) =>
        this.logger.warn(
          { err, projection: this.sink.name, partition, from, attempt, nextMs },
          'a batch cannot be stored now',
        ),
    });
  }
}
