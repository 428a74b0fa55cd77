/** Gets a batch into the store whatever happens: again after a while, event by event, or without what cannot be applied. */
import { setTimeout as wait } from 'node:timers/promises';
import type { ParleyEvent } from '../../schemas/events/index.ts';
import type { ViewStore } from './port.ts';

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 2000;

/** The store cannot go on: damaged, or the process is stopping. */
export class ViewsStopped extends Error {}

export class Applying {
  private readonly store: ViewStore;
  private readonly processesThrough: () => number;
  private readonly stopping: AbortSignal;

  constructor(store: ViewStore, processesThrough: () => number, stopping: AbortSignal) {
    this.store = store;
    this.processesThrough = processesThrough;
    this.stopping = stopping;
  }

  async apply(events: readonly ParleyEvent[]): Promise<void> {
    try {
      await this.store.commit(events, this.processesThrough());
    } catch (failure) {
      this.refuseDamage(failure);
      for (const event of events) await this.applyOne(event);
    }
  }

  private async applyOne(event: ParleyEvent): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        if (attempt <= ATTEMPTS) await this.store.commit([event], this.processesThrough());
        else await this.store.commitWithout(event, this.processesThrough(), ATTEMPTS);
        return;
      } catch (failure) {
        this.refuseDamage(failure);
        // A full disk says nothing about the event: it is tried until there is room.
        if (this.store.kindOf(failure) === 'transient') attempt = Math.min(attempt, ATTEMPTS - 1);
        await this.pause(attempt);
      }
    }
  }

  private refuseDamage(failure: unknown): void {
    if (this.store.kindOf(failure) !== 'damaged') return;
    this.store.condemn();
    throw new ViewsStopped('The views file is damaged; it is rebuilt at the next start', { cause: failure });
  }

  private async pause(attempt: number): Promise<void> {
    try {
      await wait(Math.min(FIRST_PAUSE_MS * 4 ** (attempt - 1), LONGEST_PAUSE_MS), undefined, { signal: this.stopping });
    } catch {
      throw new ViewsStopped('The views were stopped before the batch could be applied');
    }
  }
}
