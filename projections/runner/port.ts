/** The running views, and what the runner asks of the store that keeps them. */
import type { ParleyEvent } from '../../schemas/events/index.ts';
import type { BatchListener, Views } from '../port.ts';

export interface Lag {
  readonly events: number;
  /** Age of the oldest event known and not yet in the views. */
  readonly seconds: number;
}

export interface ViewsRuntime extends Views {
  /** Position through which the processes had answered every event when the views were last stored. */
  readonly processesThrough: number;
  /** `source` is asked at each commit, so that the processes' progress is stored with the views. */
  setProcessesThrough(source: () => number): void;
  /** Told of each batch in the order of registration; one that throws stops the views. Register before `start`. */
  onBatch(listener: BatchListener): void;
  /** Follows the log from the checkpoint on. */
  start(): void;
  lag(): Lag;
  readonly batches: number;
  readonly events: number;
  /** Events that some projection could not apply and left out. */
  readonly deadLetters: number;
  /** Ends the batch in progress and closes the store. */
  stop(): Promise<void>;
}

/** Later events of the same stream are left out of that projection too, since they build on this one. */
export interface DeadLetter {
  readonly projection: string;
  readonly stream: string;
  readonly position: number;
  readonly error: string;
  readonly attempts: number;
}

/** permanent: this event will never be taken. transient: the store cannot take anything now. damaged: it must be rebuilt. */
export type FailureKind = 'permanent' | 'transient' | 'damaged';

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
