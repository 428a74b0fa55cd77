/** How the nodes of a cluster learn how far each view has got: stores that others write do not tell by themselves. */
import type { ViewName } from '../port.ts';

export interface ProgressUpdate {
  readonly view: ViewName;
  /** The generation that has got there: others may be behind. */
  readonly generation: number;
  /** Positions by partition. */
  readonly through: Readonly<Record<number, number>>;
}

/** Fast and forgetful: who misses an update reads the store's checkpoints. */
export interface ProgressChannel {
  publish(update: ProgressUpdate): void;
  /** Register before `start`. */
  onUpdate(listener: (update: ProgressUpdate) => void): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}
