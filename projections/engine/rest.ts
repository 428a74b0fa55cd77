/** Lets batches and readers at rest take turns. */
import { changesRights, type ParleyEvent } from '../../schemas/events/catalogue.ts';

/**
 * Cuts a batch after every event that changes who may see what. When a listener handles such an event, the views are
 * exactly at its position.
 */
export const cutAtRightsChanges = (events: readonly ParleyEvent[]): readonly (readonly ParleyEvent[])[] => {
  const batches: (readonly ParleyEvent[])[] = [];
  let start = 0;
  for (let i = 0; i < events.length; i += 1) {
    if (!changesRights(events[i]!)) continue;
    batches.push(events.slice(start, i + 1));
    start = i + 1;
  }
  if (start === 0) return [events];
  if (start < events.length) batches.push(events.slice(start));
  return batches;
};

/** Most readers served before a waiting batch gets its turn. */
const READERS_PER_TURN = 50;

export class Turns {
  private readonly readers: (() => Promise<void>)[] = [];
  private readonly batches: (() => void)[] = [];
  private readonly settle: () => Promise<void> | undefined;
  private taken = false;

  /** @param settle called before readers run, while no batch does: completes what batches have left for later */
  constructor(settle: () => Promise<void> | undefined = () => undefined) {
    this.settle = settle;
  }

  /** Runs `read` while no batch is under way: at once if idle, otherwise between two batches. */
  atRest<T>(read: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.readers.push(async () => {
        try {
          resolve(await read());
        } catch (error) {
          reject(error);
        }
      });
      if (!this.taken) void this.serveReaders();
    });
  }

  /** Runs `work` while no reader and no other batch runs, in the order of the calls. */
  async batch(work: () => Promise<void>): Promise<void> {
    if (this.taken) await new Promise<void>((resolve) => this.batches.push(resolve));
    this.taken = true;
    try {
      await work();
    } finally {
      void this.serveReaders();
    }
  }

  private async serveReaders(): Promise<void> {
    this.taken = true;
    const settling = this.readers.length > 0 ? this.settle() : undefined;
    if (settling !== undefined) await settling;
    do {
      for (let served = 0; served < READERS_PER_TURN && this.readers.length > 0; served += 1)
        await this.readers.shift()!();
    } while (this.readers.length > 0 && this.batches.length === 0);
    const batch = this.batches.shift();
    // Passes the turn on directly, so that no other caller slips in between.
    if (batch === undefined) this.taken = false;
    else batch();
  }
}
