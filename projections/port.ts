/** The read side as the other folders see it. */

import type { BatchListener, Lag, Progress, ViewName } from './engine/port.ts';

import type { SqlReaders } from './views/sql-views.ts';
import type { TimelineReader } from './views/timelines/view.ts';
import type { UnreadReader } from './views/unread/view.ts';

export type { ViewName };

export interface Readers extends SqlReaders {
  readonly timelines: TimelineReader;
  readonly unread: UnreadReader;
}

export interface Views extends Progress, Readers {
  /** Of one view alone: who reads only guilds does not wait for timelines. */
  progress(view: ViewName): Progress;
  /**
   * Runs `read` while the views and the listeners stand still at one checkpoint, so that what it reads and what it
   * registers belong to the same position. It must be short.
   */
  atRest<T>(read: (checkpoint: number) => Promise<T>): Promise<T>;
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
