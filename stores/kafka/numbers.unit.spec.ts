import fc from 'fast-check';
import Decoder from 'kafkajs/src/protocol/decoder.js';
import Encoder from 'kafkajs/src/protocol/encoder.js';
import Long from 'kafkajs/src/utils/long.js';
import { expect, it } from 'vitest';
import './numbers.ts';

/** As the protocol describes them: groups of seven bits, the lowest first, of a number whose sign is its lowest bit. */
const bytesOf = (value: bigint, bits: number): number[] => {
  let left = BigInt.asUintN(bits, (value << 1n) ^ (value >> BigInt(bits - 1)));
  const bytes: number[] = [];
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return [...bytes, Number(left)];
};
const int32 = fc.oneof(fc.integer(), fc.integer({ min: -200, max: 200 }));
const int64 = fc.oneof(
  int32.map(BigInt),
  fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  fc.integer({ min: -(2 ** 40), max: 2 ** 40 }).map(BigInt),
);

it('numbers of 32 bits have the protocol’s bytes, and are read as they were written', () => {
  fc.assert(
    fc.property(fc.array(int32, { maxLength: 300 }), (values) => {
      const encoder = new Encoder(1);
      for (const value of values) encoder.writeVarInt(value);
      expect([...encoder.buffer]).toEqual(values.flatMap((value) => bytesOf(BigInt(value), 32)));
      expect(encoder.buffer.length).toBe(values.reduce((sum, value) => sum + Encoder.sizeOfVarInt(value), 0));
      const decoder = new Decoder(encoder.buffer);
      expect(values.map(() => decoder.readVarInt())).toEqual(values);
    }),
  );
});

it('lengths without a sign have the protocol’s bytes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
      const encoder = new Encoder(1);
      encoder.writeUVarInt(value);
      let read = 0;
      for (const [i, byte] of encoder.buffer.entries()) read += (byte & 0x7f) * 2 ** (7 * i);
      expect(read).toBe(value);
    }),
  );
});

it.each(['numbers', 'Longs'])('%s of 64 bits too', (form) => {
  fc.assert(
    fc.property(fc.array(int64, { maxLength: 50 }), (values) => {
      const given = values
        .filter((value) => form === 'Longs' || Number.isSafeInteger(Number(value)))
        .map((value) => (form === 'Longs' ? Long.fromValue(value) : Number(value)));
      const whole = given.map((value) => BigInt(value.toString()));
      const encoder = new Encoder(1);
      for (const value of given) encoder.writeVarLong(value);
      expect([...encoder.buffer]).toEqual(whole.flatMap((value) => bytesOf(value, 64)));
      expect(encoder.buffer.length).toBe(given.reduce<number>((sum, value) => sum + Encoder.sizeOfVarLong(value), 0));
      const decoder = new Decoder(encoder.buffer);
      expect(given.map(() => BigInt(decoder.readVarLong().toString()))).toEqual(whole);
    }),
  );
});
