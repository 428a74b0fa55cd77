/**
 * What the main process and a socket process tell each other: entries in batches, one batch for a turn of the event loop.
 * An entry is one byte for its kind, six for whom it is about, then numbers of four bytes and blobs headed by their length.
 */

import type { Duplex } from 'node:stream';

/** The length of a batch, headers included. */
const HEAD = 4;
/** A kind and an id of 48 bits: however fast sockets come, no process lives to give one twice. */
const ENTRY = 7;
const LOW = 2 ** 32;
/** A buffer that has grown beyond this for one large entry is not kept. */
const KEPT_BYTES = 65_536;

export class BatchWriter {
  private bytes = Buffer.allocUnsafeSlow(KEPT_BYTES);
  private end = HEAD;

  get isEmpty(): boolean {
    return this.end === HEAD;
  }

  entry(kind: number, id: number): void {
    this.reserve(ENTRY);
    this.bytes[this.end] = kind;
    this.bytes.writeUInt32LE(id % LOW, this.end + 1);
    this.bytes.writeUInt16LE(Math.floor(id / LOW), this.end + 5);
    this.end += ENTRY;
  }

  number(value: number): void {
    this.reserve(4);
    this.bytes.writeUInt32LE(value, this.end);
    this.end += 4;
  }

  /** Copies the bytes. */
  blob(bytes: Buffer): void {
    this.number(bytes.length);
    this.reserve(bytes.length);
    bytes.copy(this.bytes, this.end);
    this.end += bytes.length;
  }

  /** Sends the batch and begins another. */
  send(stream: Duplex): void {
    this.bytes.writeUInt32LE(this.end, 0);
    const batch = this.bytes.subarray(0, this.end);
    // Behind others it waits as a copy, and takes no more memory than it must.
    if (stream.writableLength > 0) stream.write(Buffer.from(batch));
    else {
      stream.write(batch);
      // What the kernel has not taken is still read from.
      if (stream.writableLength > 0) this.bytes = Buffer.allocUnsafeSlow(KEPT_BYTES);
    }
    if (this.bytes.length > KEPT_BYTES) this.bytes = Buffer.allocUnsafeSlow(KEPT_BYTES);
    this.end = HEAD;
  }

  private reserve(more: number): void {
    if (this.end + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.end + more));
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }
}

/** Reads the entries of one batch. Blobs share its bytes. */
export class BatchReader {
  private readonly bytes: Buffer;
  private at = HEAD;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  kind(): number {
    this.at += 1;
    return this.bytes[this.at - 1]!;
  }

  id(): number {
    this.at += 6;
    return this.bytes.readUInt32LE(this.at - 6) + LOW * this.bytes.readUInt16LE(this.at - 2);
  }

  number(): number {
    this.at += 4;
    return this.bytes.readUInt32LE(this.at - 4);
  }

  blob(): Buffer {
    const length = this.number();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

/** Puts batches together from what a stream delivers. */
export class Batches {
  private readonly take: (batch: BatchReader) => void;
  private pieces: Buffer[] = [];
  private held = 0;

  constructor(take: (batch: BatchReader) => void) {
    this.take = take;
  }

  add(chunk: Buffer): void {
    this.pieces.push(chunk);
    this.held += chunk.length;
    // A large batch comes in many pieces, which are joined once.
    while (this.held >= HEAD) {
      if (this.pieces[0]!.length < HEAD) this.join();
      const length = this.pieces[0]!.readUInt32LE(0);
      if (this.held < length) return;
      if (this.pieces[0]!.length < length) this.join();
      const [first] = this.pieces as [Buffer];
      if (first.length === length) this.pieces.shift();
      else this.pieces[0] = first.subarray(length);
      this.held -= length;
      this.take(new BatchReader(first.subarray(0, length)));
    }
  }

  private join(): void {
    this.pieces = [Buffer.concat(this.pieces)];
  }
}
