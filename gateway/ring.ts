/** The most recent events, with their dispatches once somebody needed them. Most resumes miss seconds, not weeks. */

import type { EventRenderer } from '../presenter/dispatches.ts';
import { audiencesOf, type ParleyEvent } from '../schemas/events/catalogue.ts';
import type { Audience } from '../schemas/streams.ts';
import { type EncodedDispatch, encodedDispatches } from './encoding.ts';

/** Bytes of the objects around an event and its encoded dispatch, without the typed text. */
const ENTRY_BYTES = 1_500;

/** The typed text counts twice: sealed in the event, and in the dispatch. */
const bytesOf = (event: ParleyEvent): number =>
  ENTRY_BYTES + ('sealed' in event.data ? 2 * event.data.sealed.box.length : 0);

export class RingEntry {
  readonly event: ParleyEvent;
  readonly audiences: readonly Audience[];
  readonly bytes: number;
  private concealed = false;
  private rendered: Promise<readonly EncodedDispatch[]> | undefined;

  constructor(event: ParleyEvent) {
    this.event = event;
    this.audiences = audiencesOf(event);
    this.bytes = bytesOf(event);
  }

  /** Encodes the event on first use. Later callers get the same dispatches with the same Buffers. */
  dispatches(renderer: EventRenderer, guildId: string | null): Promise<readonly EncodedDispatch[]> {
    if (this.rendered === undefined) {
      const rendered = encodedDispatches(renderer, this.event, guildId, this.concealed);
      this.rendered = rendered;
      // The next caller tries again.
      rendered.catch(() => {
        if (this.rendered === rendered) this.rendered = undefined;
      });
    }
    return this.rendered;
  }

  /** The message was deleted: later resumes get it without its text. */
  conceal(): void {
    this.concealed = true;
    this.rendered = undefined;
  }
}

export class Ring {
  private readonly budget: number;
  private entries: RingEntry[] = [];
  private bytes = 0;
  private floor: number;

  /**
   * @param budget in bytes; with 0 nothing is kept and no resume is served from here
   * @param position of the views now; earlier events are not here.
   */
  constructor(budget: number, position: number) {
    this.budget = budget;
    this.floor = position;
  }

  push(event: ParleyEvent): RingEntry {
    if (event.type === 'message-deleted') this.conceal(event.data.messageId);
    const entry = new RingEntry(event);
    this.entries.push(entry);
    this.bytes += entry.bytes;
    if (this.bytes > this.budget) this.shrink();
    return entry;
  }

  /** Dropping a quarter at a time costs less than moving the whole array for every event. */
  private shrink(): void {
    let drop = 0;
    for (; drop < this.entries.length && this.bytes > this.budget * 0.75; drop += 1)
      this.bytes -= this.entries[drop]!.bytes;
    this.floor = this.entries[drop - 1]!.event.position;
    this.entries = this.entries.slice(drop);
  }

  /** All events after a position, or `undefined` when some of them are gone. */
  since(position: number): RingEntry[] | undefined {
    if (this.budget === 0 || position < this.floor) return undefined;
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle]!.event.position <= position) low = middle + 1;
      else high = middle;
    }
    return this.entries.slice(low);
  }

  /**
   * Conceals every event that carries text of the message. It looks at the data's shape, so no type can be forgotten.
   */
  private conceal(messageId: string): void {
    for (const entry of this.entries) {
      const { data } = entry.event;
      if ('sealed' in data && 'messageId' in data && data.messageId === messageId) entry.conceal();
    }
  }
}
