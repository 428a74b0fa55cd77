/** GHASH, the part of AES-GCM that notices a change (NIST SP 800-38D, 6.4): products in the field of 2^128 elements. */

export const BLOCK = 16;

/** x^128, as the first word of an element. The first bit of an element is the highest bit of its first word. */
const X_128 = 0xe1000000;
const BYTES = 256;

/** The first word of what each last byte becomes when it is shifted out of an element. The other words are 0. */
const SHIFTED_OUT = Int32Array.from({ length: BYTES }, (_, byte) => {
  let word = 0;
  for (let rest = byte, bit = 0; bit < 8; bit += 1, rest >>>= 1) word = (word >>> 1) ^ (-(rest & 1) & X_128);
  return word;
});

export class Ghash {
  /** The products of H and each byte, four words each. */
  readonly #products = new Int32Array(BYTES * 4);

  /** @param h 16 bytes: what the cipher makes of a block of zeros */
  constructor(h: DataView) {
    const products = this.#products;
    let [a, b, c, d] = [h.getInt32(0), h.getInt32(4), h.getInt32(8), h.getInt32(12)];
    for (let bit = BYTES / 2; bit > 0; bit >>>= 1) {
      products.set([a, b, c, d], bit * 4);
      const out = -(d & 1) & X_128;
      d = (d >>> 1) | (c << 31);
      c = (c >>> 1) | (b << 31);
      b = (b >>> 1) | (a << 31);
      a = (a >>> 1) ^ out;
    }
    for (let byte = 3; byte < BYTES; byte += 1) {
      const lowest = byte & -byte;
      for (let word = 0; word < 4; word += 1)
        products[byte * 4 + word] = products[lowest * 4 + word]! ^ products[(byte ^ lowest) * 4 + word]!;
    }
  }

  /**
   * Takes in whole blocks.
   * @param sum four words, zeros at first; changed in place
   */
  add(sum: Int32Array, data: DataView, from: number, to: number): void {
    const products = this.#products;
    let [a, b, c, d] = [sum[0]!, sum[1]!, sum[2]!, sum[3]!];
    for (let at = from; at < to; at += BLOCK) {
      const word0 = a ^ data.getInt32(at);
      const word1 = b ^ data.getInt32(at + 4);
      const word2 = c ^ data.getInt32(at + 8);
      const word3 = d ^ data.getInt32(at + 12);
      a = 0;
      b = 0;
      c = 0;
      d = 0;
      // From the last byte on, each is multiplied by one byte less of x^8.
      for (let byte = BLOCK - 1; byte >= 0; byte -= 1) {
        const word = byte < 4 ? word0 : byte < 8 ? word1 : byte < 12 ? word2 : word3;
        const product = ((word >>> ((3 - (byte & 3)) * 8)) & 255) * 4;
        const out = SHIFTED_OUT[d & 255]!;
        d = ((d >>> 8) | (c << 24)) ^ products[product + 3]!;
        c = ((c >>> 8) | (b << 24)) ^ products[product + 2]!;
        b = ((b >>> 8) | (a << 24)) ^ products[product + 1]!;
        a = (a >>> 8) ^ out ^ products[product]!;
      }
    }
    sum[0] = a;
    sum[1] = b;
    sum[2] = c;
    sum[3] = d;
  }
}
