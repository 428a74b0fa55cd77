/** Waits for conditions instead of for the clock. */

interface Waiter {
  readonly holds: () => boolean;
  readonly done: () => void;
}

/** Something that changes and tells its waiters, which check their condition after every change. */
export class Watched {
  readonly #waiters = new Set<Waiter>();
  #failure: Error | undefined;

  changed(): void {
    for (const waiter of this.#waiters) if (waiter.holds()) waiter.done();
  }

  /** Fails every present and future wait with this error. */
  fail(error: Error): void {
    this.#failure = error;
    for (const waiter of this.#waiters) waiter.done();
  }

  /**
   * Resolves when the condition holds.
   * @param what completes "waited in vain for ..."; a function is called when the wait has failed.
   * @throws when it does not hold within `timeoutMs`
   */
  until(holds: () => boolean, what: string | (() => string), timeoutMs = 15_000): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#waiters.delete(waiter);
        clearTimeout(timer);
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
      };
      const waiter = { holds, done };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(`waited ${timeoutMs} ms in vain for ${typeof what === 'string' ? what : what()}`));
      }, timeoutMs);
      this.#waiters.add(waiter);
      if (this.#failure !== undefined) done();
    });
  }
}
