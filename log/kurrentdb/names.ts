/** The names and heads of all streams. The server keeps no list of them (decision 6). */

import { StoreUnavailable } from '../../schemas/errors.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import type { StreamHead } from '../port.ts';
import { type Placed, positionOf, sequenceOf } from './events.ts';
import { follow, type Source } from './tail.ts';

interface HeadWaiter {
  readonly position: number;
  readonly end: (reached: boolean) => void;
}

export class Names {
  private readonly source: Source;
  private readonly heads = new Map<string, StreamHead>();
  /** All names in order, except new ones. */
  private sorted: string[] = [];
  private position = 0;
  private readonly waiting = new Set<HeadWaiter>();
  private readonly stopping = new AbortController();
  private following: Promise<void> | undefined;
  private failure: { readonly error: unknown } | undefined;

  constructor(source: Source) {
    this.source = source;
  }

  /**
   * Streams in name order. The first call reads the whole log; from then on it is followed.
   * @param through position the listing must have reached
   * @throws StoreUnavailable while it has not; also whatever kept it from reading the log
   */
  async list(
    query: { prefix?: string; after?: string; limit: number },
    through: number,
  ): Promise<readonly StreamHead[]> {
    this.following ??= this.follow();
    if (this.failure !== undefined) throw this.failure.error;
    if (this.position < through && !(await this.reached(through)))
      throw new StoreUnavailable('log', BUDGETS.kurrentdb.listing.retrySeconds);
    if (this.sorted.length < this.heads.size) this.sorted = [...this.heads.keys()].sort();
    const { prefix = '', after = '', limit } = query;
    const listed: StreamHead[] = [];
    for (
      let i = this.firstFrom(after > prefix ? after : prefix);
      i < this.sorted.length && listed.length < limit;
      i += 1
    ) {
      const name = this.sorted[i]!;
      if (!name.startsWith(prefix)) break;
      if (name > after) listed.push(this.heads.get(name)!);
    }
    return listed;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.giveUp();
    await this.following;
  }

  private async follow(): Promise<void> {
    try {
      await follow(this.source, 0, async (events) => this.learn(events), this.stopping.signal);
    } catch (error) {
      this.failure = { error };
      this.giveUp();
    }
  }

  private giveUp(): void {
    for (const { end } of this.waiting) end(false);
  }

  private learn(events: readonly Placed[]): void {
    for (const event of events) {
      const stream = event.streamId;
      this.position = positionOf(event);
      this.heads.set(stream, { stream, sequence: sequenceOf(event), position: this.position });
    }
    for (const { position, end } of this.waiting) if (position <= this.position) end(true);
  }

  private reached(position: number): Promise<boolean> {
    return new Promise((resolve) => {
      let cancel = () => {};
      const end = (reached: boolean): void => {
        cancel();
        this.waiting.delete(waiting);
        resolve(reached);
      };
      const waiting = { position, end };
      // However long the log is, while its reading goes on.
      const wait = (last: number): void => {
        const onTime = (): void => (this.position > last ? wait(this.position) : end(false));
        cancel = this.source.reading.clock.setTimer(BUDGETS.kurrentdb.listing.waitMs, onTime);
      };
      this.waiting.add(waiting);
      wait(this.position);
    });
  }

  /** Index of the first name not before this one. */
  private firstFrom(name: string): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sorted[middle]! < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
