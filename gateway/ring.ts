/** The most recent events, with their dispatches once somebody needed them. Most resumes miss seconds, not weeks. */

import type { EventRenderer } from '../presenter/dispatches.ts';
import { audiencesOf, type ParleyEvent } from '../schemas/events/catalogue.ts';
import { deletedBy } from '../schemas/message-ids.ts';
import type { Soon } from '../schemas/soon.ts';
import type { Audience } from '../schemas/streams.ts';
import { type EncodedDispatch, encodedDispatches } from './encoding.ts';

/** Bytes of the objects around an event and its encoded dispatches, without the text that its author typed. */
const EVENT_BYTES = 800;
/** Bytes of a dispatch before it is encoded, without that text. */
const EXPECTED_BYTES = 700;

const typedBytes = ({ data }: ParleyEvent): number => ('sealed' in data ? data.sealed.box.length : 0);

/** Approximate bytes of an event in memory. */
export const bytesInMemory = (event: ParleyEvent): number => EVENT_BYTES + typedBytes(event);

/** What an entry reports to. */
interface Holder {
  /** Ids of messages that were deleted since the oldest entry. */
  readonly deleted: ReadonlySet<string>;
  grew(entry: RingEntry, bytes: number): void;
}

export class RingEntry {
  readonly event: ParleyEvent;
  readonly audiences: readonly Audience[];
  private readonly holder: Holder;
  private rendering: Soon<readonly EncodedDispatch[]> | undefined;
  /** What it takes in memory. */
  bytes: number;

  constructor(event: ParleyEvent, holder: Holder) {
    this.event = event;
    this.audiences = audiencesOf(event);
    this.holder = holder;
    this.bytes = this.expected();
  }

  /** Encodes the event on first use. Later callers get the same dispatches with the same Buffers. */
  dispatches(renderer: EventRenderer, guildId: string | null): Soon<readonly EncodedDispatch[]> {
    this.rendering ??= this.render(renderer, guildId);
    return this.rendering;
  }

  private render(renderer: EventRenderer, guildId: string | null): Soon<readonly EncodedDispatch[]> {
    let kept: Soon<readonly EncodedDispatch[]>;
    const grew = (bytes: number): void => {
      if (this.rendering === kept) this.weigh(this.bytes + bytes);
    };
    const rendering = encodedDispatches(renderer, this.event, guildId, this.holder.deleted, grew);
    kept = rendering;
    if (!(rendering instanceof Promise)) {
      this.weigh(this.rendered(rendering));
      return rendering;
    }
    rendering.then(
      (encoded) => {
        if (this.rendering !== rendering) return;
        kept = encoded;
        this.rendering = encoded;
        this.weigh(this.rendered(encoded));
      },
      () => {
        // The next caller tries again.
        if (this.rendering === rendering) this.rendering = undefined;
      },
    );
    return rendering;
  }

  private rendered(encoded: readonly EncodedDispatch[]): number {
    return encoded.reduce((sum, dispatch) => sum + dispatch.bytes, bytesInMemory(this.event));
  }

  /** Later resumes get it rendered again. */
  forget(): void {
    if (this.rendering === undefined) return;
    this.rendering = undefined;
    this.weigh(this.expected());
  }

  /** The message was deleted: if this entry shows it, or may be about to, later resumes get it rendered again. */
  conceal(messageId: string): void {
    const { rendering } = this;
    if (rendering === undefined) return;
    if (!(rendering instanceof Promise) && rendering.every(({ shows }) => !shows.includes(messageId))) return;
    this.forget();
  }

  /** Before it is rendered. The typed text counts twice: sealed in the event, and in the dispatch. */
  private expected(): number {
    return bytesInMemory(this.event) + EXPECTED_BYTES + typedBytes(this.event);
  }

  private weigh(bytes: number): void {
    const more = bytes - this.bytes;
    this.bytes = bytes;
    this.holder.grew(this, more);
  }
}

export class Ring implements Holder {
  private readonly budget: number;
  private entries: RingEntry[] = [];
  private bytes = 0;
  private floor: number;
  readonly deleted = new Set<string>();

  /**
   * @param budget in bytes; with 0 nothing is kept and no resume is served from here
   * @param position of the views now; earlier events are not here.
   */
  constructor(budget: number, position: number) {
    this.budget = budget;
    this.floor = position;
  }

  push(event: ParleyEvent): RingEntry {
    for (const id of deletedBy(event)) this.conceal(id);
    // Anything may show what the user said, or their name.
    if (event.type === 'user-deleted') for (const entry of this.entries) entry.forget();
    const entry = new RingEntry(event, this);
    this.entries.push(entry);
    this.bytes += entry.bytes;
    if (this.bytes > this.budget) this.shrink();
    return entry;
  }

  /** Dropping a quarter at a time costs less than moving the whole array for every event. */
  private shrink(): void {
    let drop = 0;
    for (; drop < this.entries.length && this.bytes > this.budget * 0.75; drop += 1) {
      const { event, bytes } = this.entries[drop]!;
      this.bytes -= bytes;
      // No older event of these messages is left.
      for (const id of deletedBy(event)) this.deleted.delete(id);
    }
    this.floor = this.entries[drop - 1]!.event.position;
    this.entries = this.entries.slice(drop);
  }

  /** The first events after a position, at most `limit`, or `undefined` when some of them are gone. */
  since(position: number, limit = Number.POSITIVE_INFINITY): RingEntry[] | undefined {
    if (this.budget === 0 || position < this.floor) return undefined;
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle]!.event.position <= position) low = middle + 1;
      else high = middle;
    }
    return this.entries.slice(low, low + limit);
  }

  /** Conceals every event whose dispatches show the message. It looks at what they show, so no type can be forgotten. */
  private conceal(messageId: string): void {
    this.deleted.add(messageId);
    for (const entry of this.entries) entry.conceal(messageId);
  }

  grew(entry: RingEntry, bytes: number): void {
    // Somebody may still hold an entry that was dropped.
    if (entry.event.position <= this.floor) return;
    this.bytes += bytes;
    if (this.bytes > this.budget) this.shrink();
  }
}
