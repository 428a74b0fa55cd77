/** The read side's interface to the other folders. */

import type { BatchListener, Lag, Progress, ViewName } from './engine/port.ts';

import type { SqlReaders } from './views/sql-views.ts';
import type { TimelineReader } from './views/timelines/view.ts';
import type { UnreadReader } from './views/unread/view.ts';

export type { ViewName };

/**
 * What a question reads. The guild views as a node reads them are their rows with what it has received since; bans and
 * reports are the rows alone.
 */
export type Read = ViewName | 'guild-rows';

export interface Readers extends SqlReaders {
  readonly timelines: TimelineReader;
  readonly unread: UnreadReader;
}

export interface Views extends Progress, Readers {
  /**
   * The progress of one view: a caller that reads only guilds need not wait for timelines. In a cluster the heads of
   * streams are stored after the guild views that they are stored with.
   */
  progress(view: Read | 'stream-heads'): Progress;
  /**
   * Runs `read` while the views and the listeners stay at one checkpoint, so that what it reads and what it registers
   * belong to the same position. It must be short.
   */
  atRest<T>(read: (checkpoint: number) => Promise<T>): Promise<T>;
}

export interface ViewsRuntime extends Views {
  /** The position through which the processes had answered every event when the views were last stored. */
  readonly processesThrough: number;
  /** Each commit asks `source` for the progress of the processes and stores it with the views. */
  setProcessesThrough(source: () => number): void;
  /**
   * Listeners are called with each batch in registration order. One that throws stops the views. Register before
   * `start`.
   */
  onBatch(listener: BatchListener): void;
  /**
   * Listeners that deliver are called with each batch once: before the views hold it where every event stands alone,
   * and otherwise before the other listeners.
   */
  deliverTo(listener: BatchListener): void;
  /** Resolves when the views hold what was delivered, or when that takes long. */
  holdDelivered(): Promise<unknown> | undefined;
  /** Follows the log from the checkpoint on. */
  start(): void;
  lag(): Lag;
  readonly batches: number;
  readonly events: number;
  /** Events that some projection could not apply and skipped. */
  readonly deadLetters: number;
  /** Finishes the batch in progress and closes the store. */
  stop(): Promise<void>;
}
