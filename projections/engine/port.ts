/** What follows the distribution log writes into: a projection's rows and, for each partition, how far they reach. */

import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { FailureKind } from '../../stores/guard.ts';

/** Told of every batch after the views hold it; the views do not move on until the promise resolves. */
export type BatchListener = (events: readonly ParleyEvent[], through: number) => Promise<void>;

/** Stores that move on by themselves in a cluster; in the embedded profile they are one. */
export type ViewName = 'guild-views' | 'timelines' | 'unread';

export interface Progress {
  /** Position through which every event is held. */
  checkpoint(): number;
  /** True once `position` is held; false when that took longer than `timeoutMs`. */
  whenProcessed(position: number, timeoutMs: number): Promise<boolean>;
}

/** The running views, and what the runner asks of the store that keeps them. */
export interface Lag {
  readonly events: number;
  /** Age of the oldest event known and not yet in the views. */
  readonly seconds: number;
}

/** Later events of the same stream are left out of that projection too, since they build on this one. */
export interface DeadLetter {
  readonly projection: string;
  readonly stream: string;
  readonly position: number;
  readonly error: string;
  readonly attempts: number;
}

/** Rows of every projection and the checkpoint: a batch becomes visible whole or not at all. */
export interface ViewStore {
  readonly checkpoint: number;
  readonly processesThrough: number;
  readonly deadLetters: number;
  /** @throws with nothing stored when a projection or the store fails. */
  commit(events: readonly ParleyEvent[], processesThrough: number): Promise<void>;
  /** Stores the event in every projection that takes it and a dead letter for each that does not. */
  commitWithout(event: ParleyEvent, processesThrough: number, attempts: number): Promise<readonly DeadLetter[]>;
  kindOf(failure: unknown): FailureKind;
  /** Leaves word that the store must not be used again as it is. */
  condemn(): void;
  close(processesThrough: number): Promise<void>;
}

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
