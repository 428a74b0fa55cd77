/** Reads one message in protobuf's wire format, field by field, without copying what it holds. */

/** How a field's value is laid out. */
const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

/** Bits that a part of a number holds here: beyond 32, JavaScript's bitwise operators lose some. */
const PART = 28;

export class WireReader {
  private readonly buffer: Buffer;
  private at: number;
  private end: number;
  private layout = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
    this.at = 0;
    this.end = buffer.length;
  }

  /** @returns the number of the next field, whose value must then be read or skipped; 0 at the end of the message */
  field(): number {
    if (this.at >= this.end) return 0;
    const tag = this.uint32();
    this.layout = tag & 7;
    return tag >>> 3;
  }

  /** Below 2^32. */
  private uint32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  uint64(): bigint {
    const low = this.part();
    if (low < 2 ** PART) return BigInt(low);
    const middle = this.part();
    const both = low - 2 ** PART + (middle % 2 ** PART) * 2 ** PART;
    if (middle < 2 ** PART && both <= Number.MAX_SAFE_INTEGER) return BigInt(both);
    const rest = middle < 2 ** PART ? 0 : this.part() % 2 ** PART;
    return BigInt(low - 2 ** PART) + (BigInt(middle % 2 ** PART) << 28n) + (BigInt(rest) << 56n);
  }

  /** Up to four bytes of a number. Above 2^28 if more follow. */
  private part(): number {
    let value = 0;
    for (let shift = 0; shift < PART; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return value + 2 ** PART;
  }

  text(): string {
    const [from, to] = this.value();
    return this.buffer.toString('utf8', from, to);
  }

  /** A view, not a copy. */
  bytes(): Buffer {
    const [from, to] = this.value();
    return this.buffer.subarray(from, to);
  }

  /** Calls back for each field of a message that is the field's value. */
  message(onField: (field: number) => void): void {
    const [, to] = this.value(true);
    const { end } = this;
    this.end = to;
    for (let field = this.field(); field !== 0; field = this.field()) onField(field);
    this.end = end;
  }

  skip(): void {
    if (this.layout === VARINT) this.uint64();
    else if (this.layout === BYTES) this.value();
    else if (this.layout === FIXED_64) this.at += 8;
    else if (this.layout === FIXED_32) this.at += 4;
    else throw new RangeError(`A field of the unknown layout ${this.layout}`);
  }

  private value(enter = false): readonly [from: number, to: number] {
    const length = this.uint32();
    const from = this.at;
    const to = from + length;
    if (to > this.end) throw new RangeError('A field is longer than its message');
    this.at = enter ? from : to;
    return [from, to];
  }

  private byte(): number {
    if (this.at >= this.end) throw new RangeError('A message ends within a field');
    const byte = this.buffer[this.at]!;
    this.at += 1;
    return byte;
  }
}
