/** What this node has committed of late, for a raw tail that follows its own node: it need not ask the server for that. */

import { BUDGETS } from '../../stores/budgets.ts';
import { bytesOfEvent, PageSize, type StoredEvent } from '../port.ts';

const { count: COUNT, bytes: BYTES } = BUDGETS.log.ownCommits;

/**
 * Positions have no gaps, so events that begin right behind a position are all that follow it, as far as they go. Events
 * of other nodes are not here: where one of them comes first, the next one here does not begin there.
 */
export class OwnCommits {
  /** With consecutive positions. */
  private events: StoredEvent[] = [];
  private bytes = 0;
  private tails = 0;

  /** A tail opens. Nothing is kept while none is. @returns to be called when it has stopped */
  open(): () => void {
    this.tails += 1;
    let isOpen = true;
    return () => {
      if (isOpen) this.tails -= 1;
      isOpen = false;
      if (this.tails === 0) this.clear();
    };
  }

  get isKept(): boolean {
    return this.tails > 0;
  }

  /** @param events of one commit, in any order of its batches */
  push(events: readonly StoredEvent[]): void {
    if (!this.isKept) return;
    for (const event of [...events].sort((a, b) => a.position - b.position)) {
      if (event.position !== (this.events.at(-1)?.position ?? 0) + 1) this.clear();
      this.events.push(event);
      this.bytes += bytesOfEvent(event);
    }
    // Whoever is so far behind reads the log.
    if (this.events.length > COUNT || this.bytes > BYTES) this.clear();
  }

  /** The events that follow `position`, a page of them at most, or undefined if they are not known here. */
  after(position: number, limit: number): readonly StoredEvent[] | undefined {
    const first = this.events[0];
    if (first === undefined || position + 1 < first.position || position + 1 > this.events.at(-1)!.position)
      return undefined;
    const page: StoredEvent[] = [];
    const size = new PageSize(limit);
    for (let at = position + 1 - first.position; at < this.events.length && !size.isFull; at += 1) {
      page.push(this.events[at]!);
      size.add(this.events[at]!);
    }
    this.forget(position);
    return page;
  }

  /** A tail that has got as far does not come back. Another one reads the log. */
  private forget(position: number): void {
    const gone = this.events.splice(0, position + 1 - this.events[0]!.position);
    for (const event of gone) this.bytes -= bytesOfEvent(event);
  }

  private clear(): void {
    this.events = [];
    this.bytes = 0;
  }
}
