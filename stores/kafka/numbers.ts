/**
 * How kafkajs writes and reads numbers of variable length, without an array, a Buffer or a BigInt for each: every record
 * has six of them. The bytes are the same.
 */
import Decoder from 'kafkajs/src/protocol/decoder.js';
import Encoder from 'kafkajs/src/protocol/encoder.js';
import Long from 'kafkajs/src/utils/long.js';

/** Most bytes of a number of 32 bits. */
const MOST_BYTES = 5;
/** Differences of times in one batch: 24 days. Others are left to kafkajs. */
const SMALL = 2 ** 31;

const { writeVarLong } = Encoder.prototype;
const { sizeOfVarLong } = Encoder;
const { readVarLong } = Decoder.prototype;

const isSmall = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= -SMALL && value < SMALL;

Encoder.prototype.writeUVarInt = function (value) {
  this.ensureAvailable(MOST_BYTES);
  const { buf } = this;
  let left = value >>> 0;
  let { offset } = this;
  for (; left > 0x7f; left >>>= 7) buf[offset++] = (left & 0x7f) | 0x80;
  buf[offset++] = left;
  this.offset = offset;
  return this;
};

Encoder.prototype.writeVarLong = function (value) {
  return isSmall(value) ? this.writeVarInt(value) : writeVarLong.call(this, value);
};

Encoder.sizeOfVarLong = (value) => (isSmall(value) ? Encoder.sizeOfVarInt(value) : sizeOfVarLong.call(Encoder, value));

Decoder.prototype.readVarLong = function () {
  const byte = this.buffer[this.offset]!;
  if (byte >= 0x80) return readVarLong.call(this);
  this.offset += 1;
  return Long.fromInt((byte >>> 1) ^ -(byte & 1));
};
