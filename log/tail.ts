/** Following the log from any position: from disk while behind, from memory when near the head. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Tail, upToUnreadable } from './port.ts';

/** Wakes tails that have seen everything. */
export class Bell {
  #ring: () => void = () => {};
  #rung = new Promise<void>((resolve) => {
    this.#ring = resolve;
  });

  ring(): void {
    this.#ring();
    this.#rung = new Promise((resolve) => {
      this.#ring = resolve;
    });
  }

  wait(): Promise<void> {
    return this.#rung;
  }
}

/** The running tails, so a log can end them before it closes. */
export class OpenTails {
  private readonly wake: () => void;
  private readonly tails = new Set<Tail>();

  /** @param wake wakes a waiting tail, so it notices that it must stop */
  constructor(wake: () => void = () => {}) {
    this.wake = wake;
  }

  add(tail: Tail): Tail {
    const handle: Tail = {
      stop: async () => {
        this.tails.delete(handle);
        const stopped = tail.stop();
        this.wake();
        await stopped;
      },
    };
    this.tails.add(handle);
    return handle;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.tails].map((tail) => tail.stop()));
  }
}

const BATCH = 1_000;

export interface TailSource<E> {
  /** Up to `limit` events beyond `position`, in position order. */
  next(position: number, limit: number): Promise<readonly E[]>;
  /**
   * Resolves when there may be events beyond `position`, which the last call of `next` was for or ended with, or soon
   * after the signal aborts. What was committed during that call counts, unless its answer had it.
   */
  more(position: number, signal: AbortSignal): Promise<void>;
}

/** Delivers by position alone, so the source of an event cannot cause a gap or a repetition. */
export const startTail = <E extends { readonly position: number }>(
  source: TailSource<E>,
  after: number,
  onEvents: (events: readonly E[]) => Promise<void>,
  onFailure: (error: unknown) => void,
): Tail => {
  const stopping = new AbortController();
  const { signal } = stopping;

  const run = async (): Promise<void> => {
    let position = after;
    while (!signal.aborted) {
      const events = await upToUnreadable((limit) => source.next(position, limit), BATCH);
      if (signal.aborted) return;
      if (events.length > 0) {
        await onEvents(events);
        position = events.at(-1)!.position;
        // Otherwise a handler that never waits would block everything else until the tail reaches the head.
        await nextTurn();
      }
      if (!signal.aborted) await source.more(position, signal);
    }
  };

  const ended = run().catch((error: unknown) => {
    if (!signal.aborted) onFailure(error);
  });
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
};
