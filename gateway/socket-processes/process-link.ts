/** The main process's side of one socket that a socket process holds. */

import { COMPRESSIONS, type Compression } from '../compression.ts';
import type { Link, LinkHolder, Outlet, Pace } from '../link.ts';
import type { BatchWriter } from './batch.ts';
import { To } from './entries.ts';

/** What it needs of its process. */
export interface HoldingProcess extends Pace {
  /** Number of batches that it has carried out. */
  readonly done: number;
  /** Number of the batch that is being written. */
  readonly current: number;
  /** Links whose next drain somebody waits for. */
  readonly awaited: Set<ProcessLink>;
  /** Writes an entry about a socket into the current batch. */
  say(kind: number, id: number): BatchWriter;
  write(id: number, frames: Buffer): void;
  /** Ends a socket, which is gone soon, whatever the process does. */
  terminate(id: number): void;
}

export class ProcessLink implements Link, Outlet {
  readonly outlet = this;
  readonly copies = true;
  readonly pace: HoldingProcess;
  writable = true;
  private readonly id: number;
  private holder!: LinkHolder;
  /** Bytes that wait in the socket, as its process last said. */
  private waiting = 0;
  /**
   * Bytes on their way to the process: those up to one batch, and those after it up to another. That is enough to forget
   * them as batches are carried out, without a note for each write. It may count some for a while that have arrived.
   */
  private former = 0;
  private formerThrough = 0;
  private latest = 0;
  private latestThrough = 0;
  /** What has arrived since it was paused. */
  private kept: Buffer[] | undefined;
  private drains: Set<() => void> | undefined;
  private closes: Set<() => void> | undefined;
  private readers: Set<() => void> | undefined;

  constructor(process: HoldingProcess, id: number) {
    this.pace = process;
    this.id = id;
  }

  get writableLength(): number {
    this.forgetArrived();
    return this.waiting + this.former + this.latest;
  }

  write(frames: Buffer): void {
    if (!this.writable) return;
    this.forgetArrived();
    this.latest += frames.length;
    this.latestThrough = this.pace.current;
    this.pace.write(this.id, frames);
    if (this.drains !== undefined) this.pace.awaited.add(this);
  }

  on(event: 'drain' | 'close', listener: () => void): void {
    if (event === 'close') {
      this.closes ??= new Set();
      this.closes.add(listener);
    } else {
      this.drains ??= new Set();
      this.drains.add(listener);
      if (this.writableLength > 0) this.pace.awaited.add(this);
    }
  }

  off(event: 'drain' | 'close', listener: () => void): void {
    if (event === 'close') this.closes?.delete(listener);
    else {
      this.drains?.delete(listener);
      if (this.drains?.size === 0) this.drains = undefined;
    }
  }

  attach(holder: LinkHolder): void {
    this.holder = holder;
  }

  compress(kind: Compression, remembers: boolean): void {
    const entry = this.pace.say(To.compress, this.id);
    entry.number(COMPRESSIONS.indexOf(kind));
    entry.number(remembers ? 1 : 0);
  }

  onceRead(read: () => void): () => void {
    if (!this.writable) {
      read();
      return () => {};
    }
    this.readers ??= new Set();
    this.readers.add(read);
    this.pace.say(To.ping, this.id);
    return () => this.readers?.delete(read);
  }

  takeLongFrames(): void {
    this.pace.say(To.takeLongFrames, this.id);
  }

  pause(): void {
    this.kept ??= [];
    this.pace.say(To.pause, this.id);
  }

  resume(): void {
    const kept = this.kept ?? [];
    this.kept = undefined;
    // The first may pause it again.
    for (const data of kept) this.received(data);
    if (this.kept === undefined) this.pace.say(To.resume, this.id);
  }

  close(code: number, reason: string): void {
    const entry = this.pace.say(To.close, this.id);
    entry.number(code);
    entry.blob(Buffer.from(reason));
  }

  destroySoon(): void {
    this.pace.say(To.destroySoon, this.id);
  }

  terminate(): void {
    this.pace.terminate(this.id);
  }

  // What its process says.

  received(data: Buffer): void {
    if (this.kept === undefined) this.holder.received(data);
    else this.kept.push(data);
  }

  waits(bytes: number): void {
    this.waiting = bytes;
  }

  /** The peer has answered one ping. */
  answered(): void {
    const [first] = this.readers ?? [];
    if (first === undefined) return;
    this.readers!.delete(first);
    first();
  }

  /** Calls those who wait for it, if nothing waits in it any more. */
  tellIfDrained(): void {
    if (this.writableLength > 0) return;
    this.pace.awaited.delete(this);
    for (const drained of [...(this.drains ?? [])]) drained();
  }

  gone(): void {
    if (!this.writable) return;
    this.writable = false;
    this.pace.awaited.delete(this);
    for (const closed of [...(this.closes ?? [])]) closed();
    for (const read of this.readers ?? []) read();
    this.readers = undefined;
    this.holder.gone();
  }

  private forgetArrived(): void {
    const { done } = this.pace;
    if (this.formerThrough > done) return;
    const arrived = this.latestThrough <= done;
    this.former = arrived ? 0 : this.latest;
    this.formerThrough = this.latestThrough;
    this.latest = 0;
  }
}
