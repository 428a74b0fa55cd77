import type Database from 'libsql';

/** Writes that come in one turn of the event loop share one transaction and one fsync. */
interface Waiting {
  readonly write: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

export class GroupCommit {
  readonly #database: Database.Database;
  #waiting: Waiting[] = [];

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /**
   * Runs `write` inside the turn's transaction. It sees what the writes before it did.
   * @returns what `write` returned, once it is on the disk
   */
  run<T>(write: () => T): Promise<T> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.flush());
      this.#waiting.push({ write, resolve, reject });
    }) as Promise<T>;
  }

  /** Carries out what waits. */
  flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const outcomes = waiting.map(({ write }) => this.#attempt(write));
      this.#database.exec('COMMIT');
      for (const [i, { resolve, reject }] of waiting.entries()) {
        const outcome = outcomes[i]!;
        if ('error' in outcome) reject(outcome.error);
        else resolve(outcome.value);
      }
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      for (const { reject } of waiting) reject(error);
    }
  }

  /** A statement that fails takes back only itself, unless SQLite gave up the whole transaction. */
  #attempt(write: () => unknown): Outcome {
    try {
      return { value: write() };
    } catch (error) {
      if (!this.#database.inTransaction) throw error;
      return { error };
    }
  }
}

/**
 * One request for all who want the same kind of thing: what is wanted while one is on its way goes with the next. Partitions
 * are followed side by side and store small batches at the same moments, and those whose commands were stored by one commit
 * are answered at the same moment, so most of their requests can be shared.
 */
export class Together<Wanted, Answer> {
  private readonly ask: (wanted: readonly Wanted[]) => Promise<Answer>;
  private waiting: Wanted[] = [];
  private next: Promise<Answer> | undefined;
  private current: Promise<unknown> = Promise.resolve();

  constructor(ask: (wanted: readonly Wanted[]) => Promise<Answer>) {
    this.ask = ask;
  }

  /** Resolves or rejects with all that it went with; asked for after this call. */
  with(one: Wanted): Promise<Answer> {
    this.waiting.push(one);
    this.next ??= this.afterCurrent();
    return this.next;
  }

  private async afterCurrent(): Promise<Answer> {
    await this.current.catch(() => {});
    const wanted = this.waiting;
    this.waiting = [];
    this.next = undefined;
    const answer = this.ask(wanted);
    this.current = answer;
    return answer;
  }
}
