/** What follows the distribution log writes into: a projection's rows and, for each partition, how far they reach. */
import type { ParleyEvent } from '../../schemas/events/index.ts';
import type { FailureKind } from './port.ts';

export interface PartitionBatch {
  readonly partition: number;
  /** The partition's checkpoint as the writer knows it. */
  readonly from: number;
  /** Every event of the partition with `from < position <= through`, in position order; often none. */
  readonly events: readonly ParleyEvent[];
  readonly through: number;
}

/** The store's checkpoint is not the writer's: it was emptied, or somebody else has moved it. */
export class CheckpointMoved extends Error {
  /** What the store's checkpoint is. */
  readonly actual: number;

  constructor(partition: number, expected: number, actual: number) {
    super(`Partition ${partition} stands at ${actual}, not at ${expected}`);
    this.actual = actual;
  }
}

export interface PartitionStore {
  /** Name of the projection: `guild-views`, `timelines`, `unread`. */
  readonly name: string;
  /** For each partition, the position through which its events are in the store; 0 where nothing is. */
  checkpoints(): Promise<readonly number[]>;
  /**
   * Stores the batch, then its `through` as the checkpoint. May be repeated with the same events, and be repeated in part
   * after a crash: the rows come out the same. A batch without events may be remembered in memory for up to a second.
   * @throws CheckpointMoved before anything is stored, where the store can tell.
   */
  commit(batch: PartitionBatch): Promise<void>;
  /**
   * Stores rows of events that had been left out, all of one stream and in its order, while the checkpoint stays where it is:
   * somewhere at or beyond them. May be repeated.
   */
  repair(events: readonly ParleyEvent[]): Promise<void>;
  /** What a failure of `commit` or `repair` means: `permanent` for the event, `transient` for the store. */
  kindOf(failure: unknown): FailureKind;
  /** Stores what is remembered in memory only. */
  flush(): Promise<void>;
}
