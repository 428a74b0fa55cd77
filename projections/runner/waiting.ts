/** Those who wait until the views hold a position. */

interface Waiter {
  readonly position: number;
  readonly done: (reached: boolean) => void;
}

export class Waiting {
  private readonly waiters = new Set<Waiter>();

  /** True when `reached(position)` was called in time. */
  until(position: number, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        position,
        done: (reached) => {
          clearTimeout(timer);
          this.waiters.delete(waiter);
          resolve(reached);
        },
      };
      const timer = setTimeout(() => waiter.done(false), timeoutMs);
      this.waiters.add(waiter);
    });
  }

  reached(position: number): void {
    for (const waiter of this.waiters) if (waiter.position <= position) waiter.done(true);
  }

  giveUp(): void {
    for (const waiter of this.waiters) waiter.done(false);
  }
}
