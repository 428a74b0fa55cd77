/**
 * Batches writes that share a commit. Independent of any store: the caller passes the commit and the meaning of its
 * failures.
 */

import type { Clock } from '../schemas/clock.ts';
import type { Classify, FailureKind } from './guard.ts';

/**
 * What a batch waits for. There is one commit at a time: items added during a commit go with the next. `turn`: the end
 * of this turn of the event loop. For a commit that blocks the thread: other work runs between two commits. `previous`:
 * only the end of the previous commit. Items added at the same moment go together. `{ ms, enough, clock }`: the end of the
 * turn, then `ms` milliseconds since the start of the previous commit, unless `enough` items wait. For a server where a
 * small commit costs almost as much as a large one.
 */
export type Gathering = 'turn' | 'previous' | { readonly ms: number; readonly enough: number; readonly clock: Clock };

export interface BatcherOptions<Item, Answer> {
  readonly gather: Gathering;
  /** Bounds of one batch. An item that exceeds a bound by itself goes alone. */
  readonly most: { readonly count: number; readonly bytes: number };
  /** Approximate bytes of an item. */
  readonly bytesOf: (item: Item) => number;
  /** The number an item counts as. Default 1. */
  readonly countOf?: (item: Item) => number;
  /**
   * Stores a batch and answers each item, in order. If it throws, either nothing of the batch is stored, or all of it
   * can safely be stored again.
   */
  readonly commit: (items: readonly Item[]) => readonly Answer[] | Promise<readonly Answer[]>;
  /**
   * After a permanent failure, or a bug, the batch is halved repeatedly until the failing items are alone. Any other
   * failure fails all items. Default: no failure is permanent.
   */
  readonly classify?: Classify;
  /** Turns a failure into an item's answer. If this throws, the item is rejected. Default: rejects with the failure. */
  readonly refuse?: (failure: unknown) => Answer;
}

interface QueuedWrite<Item, Answer> {
  readonly item: Item;
  readonly bytes: number;
  readonly count: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (failure: unknown) => void;
}

/** Whether a part of the batch may escape such a failure. */
export const isOfSomeItems = (kind: FailureKind): boolean => kind === 'permanent' || kind === 'bug';

const throwIt = (failure: unknown): never => {
  throw failure;
};

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class Batcher<Item, Answer> {
  readonly #options: BatcherOptions<Item, Answer>;
  readonly #classify: Classify;
  readonly #refuse: (failure: unknown) => Answer;
  readonly #closing = new AbortController();
  #queue: QueuedWrite<Item, Answer>[] = [];
  #running: Promise<void> | undefined;
  /** When the previous commit began. */
  #began = Number.NEGATIVE_INFINITY;
  #closed: { readonly failure: unknown } | undefined;

  constructor(options: BatcherOptions<Item, Answer>) {
    this.#options = options;
    this.#classify = options.classify ?? (() => 'transient');
    this.#refuse = options.refuse ?? throwIt;
  }

  /** Items are stored in the order added. Resolves or rejects when the item's own outcome is known. */
  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        resolve(this.#refuse(this.#closed.failure));
        return;
      }
      const { bytesOf, countOf } = this.#options;
      this.#queue.push({ item, bytes: bytesOf(item), count: countOf?.(item) ?? 1, resolve, reject });
      this.#running ??= this.#commitAll();
    });
  }

  /**
   * Stores waiting items without gathering more, and resolves when all are answered.
   * @param failure for items added later; that of the first call counts
   */
  async close(failure: unknown): Promise<void> {
    this.#closed ??= { failure };
    this.#closing.abort();
    await this.#running;
  }

  async #commitAll(): Promise<void> {
    const { gather } = this.#options;
    if (gather !== 'previous') await endOfTurn();
    while (this.#queue.length > 0) {
      await this.#pause();
      await this.#store(this.#take());
      if (gather === 'turn' && this.#queue.length > 0) await endOfTurn();
    }
    this.#running = undefined;
  }

  async #pause(): Promise<void> {
    const { gather } = this.#options;
    if (typeof gather === 'string') return;
    const { ms, enough, clock } = gather;
    const restMs = this.#began + ms - clock.monotonic();
    if (restMs > 0 && this.#queue.length < enough) await clock.delay(restMs, this.#closing.signal);
    this.#began = clock.monotonic();
  }

  #take(): readonly QueuedWrite<Item, Answer>[] {
    const { most } = this.#options;
    const queue = this.#queue;
    let taken = 0;
    let count = 0;
    let bytes = 0;
    for (const write of queue) {
      count += write.count;
      bytes += write.bytes;
      if (taken > 0 && (count > most.count || bytes > most.bytes)) break;
      taken += 1;
    }
    if (taken < queue.length) return queue.splice(0, taken);
    this.#queue = [];
    return queue;
  }

  async #store(batch: readonly QueuedWrite<Item, Answer>[]): Promise<void> {
    const parts = [batch];
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      try {
        const answers = await this.#options.commit(part.map(({ item }) => item));
        for (let i = 0; i < part.length; i += 1) part[i]!.resolve(answers[i]!);
      } catch (failure) {
        if (!isOfSomeItems(this.#classify(failure))) {
          // The store is gone or damaged: items not yet tried would only wait for the same failure.
          for (const rest of [part, ...parts.reverse()]) this.#fail(rest, failure);
          return;
        }
        if (part.length === 1) this.#fail(part, failure);
        else {
          const half = part.length >>> 1;
          parts.push(part.slice(half), part.slice(0, half));
        }
      }
    }
  }

  #fail(writes: readonly QueuedWrite<Item, Answer>[], failure: unknown): void {
    for (const { resolve, reject } of writes)
      try {
        resolve(this.#refuse(failure));
      } catch (error) {
        reject(error);
      }
  }
}

/** A commit with one answer for all items. */
export const oneAnswer =
  <Item, Answer>(commit: (items: readonly Item[]) => Promise<Answer>) =>
  async (items: readonly Item[]): Promise<readonly Answer[]> => {
    const answer = await commit(items);
    return items.map(() => answer);
  };
