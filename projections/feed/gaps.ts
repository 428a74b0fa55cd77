/** One partition as a gateway knows it: how far nothing is missing, and whether a manifest continues from there. */

import { EmptyAhead } from '../engine/empty-ranges.ts';
import type { BatchNumbers, Manifest } from './payloads.ts';

interface Look {
  readonly at: number;
  readonly head: number;
}

/** The head of the log as it was a while ago. Every partition should have reached it by now. */
export class HeadWatch {
  private readonly longestMs: number;
  private looks: Look[] = [];

  /** @param longestMs the longest time ago that `due` is asked about */
  constructor(longestMs: number) {
    this.longestMs = longestMs;
  }

  /** @param at when the log answered, in monotonic milliseconds */
  seen(head: number, at: number): void {
    this.looks.push({ at, head });
    while (this.looks.length > 1 && this.looks[1]!.at <= at - this.longestMs) this.looks.shift();
  }

  /**
   * No event up to this position should still be under way; 0 if that is not known yet.
   * @param graceMs how long an event may be under way before it counts as missing
   */
  due(now: number, graceMs: number): number {
    const settled = this.looks.findLast((look) => look.at <= now - graceMs);
    return settled?.head ?? 0;
  }
}

/**
 * moved: nothing is missing through the manifest's position. known: the manifest says nothing new. chain: a batch
 * before it did not arrive. pulse: a part of its own batch did not arrive.
 */
type Verdict = 'moved' | 'known' | 'chain' | 'pulse';

interface Receipt {
  readonly batch: BatchNumbers;
  readonly channels: Set<string>;
}

const same = (one: BatchNumbers, other: BatchNumbers): boolean =>
  one.from === other.from && one.to === other.to && one.through === other.through;

export class Chain {
  /** Every event at or below it that this process listens to has arrived. */
  through: number;
  /** The log must be read through here; nothing to read if at or below `through`. */
  wanted: number;
  /** How far manifests have come, and when the last of them went further than those before. Monotonic milliseconds. */
  private heard = 0;
  private movedAt = Number.NEGATIVE_INFINITY;
  /** Pulses that have arrived for batches whose manifest has not: usually of one batch. */
  private receipts: Receipt[] = [];
  private readonly ahead = new EmptyAhead();

  constructor(through: number) {
    this.through = through;
    this.wanted = through;
  }

  /** A manifest arrived, whatever it says: its projector is there. */
  hear({ through }: BatchNumbers, now: number): void {
    if (through <= this.heard) return;
    this.heard = through;
    this.movedAt = now;
  }

  /**
   * Another partition's manifest says that this one has no event between the two.
   * @returns whether that moves it
   */
  passes(from: number, through: number, now: number): boolean {
    if (through <= this.through) return false;
    if (from > this.through) {
      this.ahead.add(from, through);
      return false;
    }
    this.moveTo(through);
    this.movedAt = now;
    return true;
  }

  /** How long ago the last manifest moved it, in milliseconds. What the log filled in does not count. */
  still(now: number): number {
    return now - this.movedAt;
  }

  /** False if everything up to the end of its batch is known. */
  awaits(batch: BatchNumbers): boolean {
    return batch.through > this.through;
  }

  /** Records that a batch's pulse arrived in a channel. */
  received(batch: BatchNumbers, channel: string): void {
    let receipt = this.receipts.find((one) => same(one.batch, batch));
    if (receipt === undefined) {
      receipt = { batch, channels: new Set() };
      this.receipts.push(receipt);
    }
    receipt.channels.add(channel);
  }

  /** @param required whether messages in a channel must have arrived */
  manifest(manifest: Manifest, required: (channel: string) => boolean): Verdict {
    if (!this.awaits(manifest)) return 'known';
    if (manifest.from > this.through) return 'chain';
    // The range was already read from the log; the only news is that nothing follows it.
    if (manifest.to > this.through && !this.whole(manifest, required)) return 'pulse';
    this.moveTo(manifest.through);
    return 'moved';
  }

  private whole(manifest: Manifest, required: (channel: string) => boolean): boolean {
    const receipt = this.receipts.find((one) => same(one.batch, manifest));
    return manifest.channels.every((channel) => receipt?.channels.has(channel) || !required(channel));
  }

  /** Nothing is missing through this position. Never moves back. */
  moveTo(through: number): void {
    if (through <= this.through) return;
    this.through = this.ahead.reachedFrom(through);
    this.receipts = this.receipts.filter((one) => this.awaits(one.batch));
  }

  get gapped(): boolean {
    return this.wanted > this.through;
  }
}
