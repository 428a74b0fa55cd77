/** Group commit: writes of one turn of the event loop share one transaction and one fsync. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type Database from 'libsql';
import { Batcher } from '../batcher.ts';
import { BUDGETS } from '../budgets.ts';
import { refusalOf } from './failures.ts';
import type { FileGone } from './held-files.ts';

/** The outcome of one write: its value, or what it threw. */
type Outcome = Either<unknown, unknown>;

const { writeBytes, transaction } = BUDGETS.sqlite;

export class SharedTransaction {
  readonly #database: Database.Database;
  readonly #store: string;
  readonly #gone: () => FileGone | undefined;
  readonly #batcher: Batcher<() => unknown, Outcome>;

  /**
   * @param store its name in StoreUnavailable
   * @param gone why nothing may be stored now
   */
  constructor(database: Database.Database, store: string, gone: () => FileGone | undefined) {
    this.#database = database;
    this.#store = store;
    this.#gone = gone;
    this.#batcher = new Batcher({
      gather: 'turn',
      most: transaction,
      bytesOf: () => writeBytes,
      commit: (writes) => this.#commit(writes),
    });
  }

  /**
   * Runs `write` inside the turn's transaction. It sees the effects of earlier writes.
   * @returns what `write` returned, once it is on the disk
   * @throws what `write` threw, or why the commit failed: then none of its writes is stored. StoreUnavailable when the
   * disk is full or cannot be written to now, or a file of the folder is gone
   */
  async run<T>(write: () => T): Promise<T> {
    try {
      const outcome = await this.#batcher.add(write);
      if (either.isLeft(outcome)) throw outcome.left;
      return outcome.right as T;
    } catch (failure) {
      throw refusalOf(this.#store, failure);
    }
  }

  /**
   * Runs the waiting writes.
   * @param failure for later writes
   */
  close(failure: Error): Promise<void> {
    return this.#batcher.close(failure);
  }

  #commit(writes: readonly (() => unknown)[]): readonly Outcome[] {
    const gone = this.#gone();
    if (gone !== undefined) throw gone;
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const outcomes = writes.map((write) => this.#attempt(write));
      this.#database.exec('COMMIT');
      return outcomes;
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** A failed statement undoes only itself, unless SQLite rolled back the whole transaction. */
  #attempt(write: () => unknown): Outcome {
    try {
      return either.right(write());
    } catch (error) {
      if (!this.#database.inTransaction) throw error;
      return either.left(error);
    }
  }
}
