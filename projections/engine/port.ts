/** What followers of the distribution log write to: a projection's rows and a checkpoint per partition. */

import type { ParleyEvent, UnreadableEvent } from '../../schemas/events/catalogue.ts';
import type { FailureKind } from '../../stores/guard.ts';
import type { EmptyRange } from './empty-ranges.ts';

/** Called with each batch once the views hold it. The views do not advance until the promise resolves. */
export type BatchListener = (events: readonly ParleyEvent[], through: number) => Promise<void>;

/** Stores that advance on their own in a cluster; in the embedded profile they are one. */
export type ViewName = 'guild-views' | 'timelines' | 'unread';

export interface Progress {
  /** The position through which every event is held. */
  checkpoint(): number;
  /** True once `position` is held; false if that takes longer than `timeoutMs`. */
  whenProcessed(position: number, timeoutMs: number): Promise<boolean>;
}

/** The running views, and what the runner needs of their store. */
export interface Lag {
  readonly events: number;
  /** Age of the oldest known event that is not yet in the views. */
  readonly seconds: number;
}

/** Where an event stands. */
export type Place = Pick<ParleyEvent, 'stream' | 'sequence' | 'position'>;

/** Later events of the same stream are skipped in that projection too, because they depend on this one. */
export interface DeadLetter {
  readonly projection: string;
  readonly stream: string;
  readonly position: number;
  readonly error: string;
  readonly attempts: number;
}

/** Rows of every projection and the checkpoint: a batch becomes visible as a whole or not at all. */
export interface ViewStore {
  readonly checkpoint: number;
  readonly processesThrough: number;
  readonly deadLetters: number;
  /** @throws if a projection or the store fails; then nothing is stored */
  commit(events: readonly ParleyEvent[], processesThrough: number): Promise<void>;
  /** Stores the event in every projection that can apply it, and a dead letter for each that cannot. */
  commitWithout(event: ParleyEvent, processesThrough: number, attempts: number): Promise<readonly DeadLetter[]>;
  /** Stores a dead letter of every projection in place of an event that cannot be read. */
  leaveOut(event: Place, processesThrough: number, failure: unknown): Promise<readonly DeadLetter[]>;
  classify(failure: unknown): FailureKind;
  /** Records that the store must not be used again as it is. */
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
  /** What is known of other partitions: only for those who tell others how far this one is. */
  readonly empty?: readonly EmptyRange[];
}

/** The store's checkpoint is not the one the writer expected: the store was emptied, or another process moved it. */
export class CheckpointMoved extends Error {
  /** The store's actual checkpoint. */
  readonly actual: number;

  constructor(partition: number, expected: number, actual: number) {
    super(`Partition ${partition} stands at ${actual}, not at ${expected}`);
    this.actual = actual;
  }
}

export interface PartitionStore {
  /** Name of the projection: `guild-views`, `timelines`, `unread`. */
  readonly name: string;
  /** The position through which each partition's events are in the store; 0 if none are. */
  checkpoints(): Promise<readonly number[]>;
  /**
   * Stores the batch, then its `through` as the checkpoint. May be repeated with the same events, and in part after a
   * crash: the rows come out the same. A batch without events may stay in memory for up to a second.
   * @throws CheckpointMoved before anything is stored, if the store can tell
   */
  commit(batch: PartitionBatch): Promise<void>;
  /**
   * Stores rows of events that were skipped before, all of one stream and in order. The checkpoint stays where it is,
   * at or beyond them. May be repeated.
   */
  repair(events: readonly ParleyEvent[]): Promise<void>;
  /**
   * Only of a store that keeps nothing and so needs no dead letters: it goes on without this event, and with the later
   * ones of its stream.
   */
  passOver?(failure: UnreadableEvent): void;
  /** Whether a failure of `commit` or `repair` is the event's fault, the store's or a bug. */
  classify(failure: unknown): FailureKind;
  /** Stores checkpoints that are only in memory. */
  flush(): Promise<void>;
}
