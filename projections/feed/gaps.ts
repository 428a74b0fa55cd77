/** What a gateway knows of one partition: how far nothing is missing, and whether a manifest leads on from there. */
import type { BatchNumbers, Manifest } from './messages.ts';

/** What the log's head was a while ago: by now every partition should have got there. */
interface Look {
  readonly at: number;
  readonly head: number;
}

export class HeadWatch {
  private readonly graceMs: number;
  private looks: Look[] = [];

  /** @param graceMs how long an event may be on its way before it counts as missing */
  constructor(graceMs: number) {
    this.graceMs = graceMs;
  }

  /** @param at when the log had answered, in milliseconds of a clock that never goes back */
  seen(head: number, at: number): void {
    this.looks.push({ at, head });
    while (this.looks.length > 1 && this.looks[1]!.at <= at - this.graceMs) this.looks.shift();
  }

  /** Through here nothing may be on its way any more; 0 when that is not known yet. */
  due(now: number): number {
    const settled = this.looks.findLast((look) => look.at <= now - this.graceMs);
    return settled?.head ?? 0;
  }
}

/**
 * moved: nothing is missing through the manifest's position. known: it says nothing new. chain: a batch before it
 * did not arrive. pulse: a part of its own batch did not.
 */
type Verdict = 'moved' | 'known' | 'chain' | 'pulse';

interface Receipt {
  readonly batch: BatchNumbers;
  readonly channels: Set<string>;
}

const same = (one: BatchNumbers, other: BatchNumbers): boolean =>
  one.from === other.from && one.to === other.to && one.through === other.through;

export class Chain {
  /** Every event of the partition at or below that is listened to has arrived. */
  through: number;
  /** The log is to be read through here; at or below `through` when nothing is. */
  wanted: number;
  /** Which pulses of the batches not yet summed up by a manifest have arrived: usually of one. */
  private receipts: Receipt[] = [];

  constructor(through: number) {
    this.through = through;
    this.wanted = through;
  }

  /** False when everything up to its batch's end is known. */
  awaits(batch: BatchNumbers): boolean {
    return batch.through > this.through;
  }

  /** A batch's pulse has arrived in a channel. */
  received(batch: BatchNumbers, channel: string): void {
    let receipt = this.receipts.find((one) => same(one.batch, batch));
    if (receipt === undefined) {
      receipt = { batch, channels: new Set() };
      this.receipts.push(receipt);
    }
    receipt.channels.add(channel);
  }

  /** @param required whether what is published in a channel must have arrived */
  manifest(manifest: Manifest, required: (channel: string) => boolean): Verdict {
    if (!this.awaits(manifest)) return 'known';
    if (manifest.from > this.through) return 'chain';
    // Read from the log already: only that nothing follows is new.
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
    this.through = through;
    this.receipts = this.receipts.filter((one) => this.awaits(one.batch));
  }

  get gapped(): boolean {
    return this.wanted > this.through;
  }
}
