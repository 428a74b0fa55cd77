/**
 * Opening many texts of one person at once. Of the 7 to 10 us that a text takes through Node's AES-GCM, AES itself takes a
 * tenth of one; the rest is making a cipher for each text. GCM is AES in counter mode, and GHASH over what was encrypted. So
 * one cipher of OpenSSL encrypts the counters of all texts in one call here, and `Ghash` does the rest.
 */

import { createCipheriv, type KeyObject } from 'node:crypto';
import type { Sealed } from '../schemas/envelope.ts';
import { BLOCK, Ghash } from './ghash.ts';
import { additionalData, NONCE_BYTES, openText, type SealedPlace, TAG_BYTES } from './sealing.ts';

export interface SealedText {
  readonly place: SealedPlace;
  readonly sealed: Sealed;
}

/** Fewer than these take less time one by one: the table of `Ghash` takes as long as half a text. */
const FEW = 4;

const WORD = 4;

const inBlocks = (bytes: number): number => Math.ceil(bytes / BLOCK) * BLOCK;

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

const copyWords = (from: DataView, at: number, words: number, to: DataView, toAt: number): void => {
  for (let word = 0; word < words; word += 1) to.setInt32(toAt + word * WORD, from.getInt32(at + word * WORD));
};

/** A box and the additional data it is bound to, in a buffer for all. Text and additional data begin at whole blocks. */
interface Laid {
  /** Where the encrypted text stands, after its nonce and before its tag. */
  readonly text: number;
  readonly textBytes: number;
  readonly bound: number;
  readonly boundBytes: number;
  /** Where its counters stand among those of all: that of the tag, then one for each block of the text. */
  readonly counters: number;
}

/** @returns the buffer, padded with zeros, and where each stands in it; `undefined` for what is too short for a box */
const layOut = (texts: readonly SealedText[]) => {
  const bounds = texts.map(({ place, sealed }) => additionalData(place, sealed.by));
  let room = 0;
  for (let i = 0; i < texts.length; i += 1)
    // In UTF-8, a unit of a string takes three bytes at most.
    room += BLOCK + inBlocks(texts[i]!.sealed.box.length) + inBlocks(bounds[i]!.length * 3);
  const bytes = Buffer.alloc(room);
  const laid: (Laid | undefined)[] = [];
  // Before all counters stands the block of zeros that H is made of.
  let counters = BLOCK;
  let at = 0;
  for (let i = 0; i < texts.length; i += 1) {
    const text = at + BLOCK;
    const box = text - NONCE_BYTES;
    const boxBytes = bytes.write(texts[i]!.sealed.box, box, 'base64');
    const textBytes = boxBytes - NONCE_BYTES - TAG_BYTES;
    const bound = inBlocks(box + boxBytes);
    const boundBytes = bytes.write(bounds[i]!, bound);
    at = bound + inBlocks(boundBytes);
    laid.push(textBytes < 0 ? undefined : { text, textBytes, bound, boundBytes, counters });
    if (textBytes >= 0) counters += BLOCK + inBlocks(textBytes);
  }
  return { bytes, laid, counterBytes: counters };
};

/** The encrypted counters of all, after the encrypted block of zeros. */
const encryptedCounters = (key: KeyObject, data: DataView, laid: readonly (Laid | undefined)[], bytes: number) => {
  const counters = new DataView(new ArrayBuffer(bytes));
  for (const one of laid) {
    if (one === undefined) continue;
    const blocks = 1 + inBlocks(one.textBytes) / BLOCK;
    for (let block = 0, at = one.counters; block < blocks; block += 1, at += BLOCK) {
      copyWords(data, one.text - NONCE_BYTES, NONCE_BYTES / WORD, counters, at);
      counters.setInt32(at + NONCE_BYTES, block + 1);
    }
  }
  return viewOf(createCipheriv('aes-256-ecb', key, null).update(counters));
};

const openedAlone = (key: KeyObject, { place, sealed }: SealedText): Uint8Array | undefined => {
  const text = openText(key, place, sealed);
  return text === undefined ? undefined : Buffer.from(text);
};

/**
 * Opens each as `openText` does.
 * @param texts all under this key
 * @returns the texts in UTF-8
 */
export const openTexts = (key: KeyObject, texts: readonly SealedText[]): (Uint8Array | undefined)[] => {
  if (texts.length < FEW) return texts.map((text) => openedAlone(key, text));
  const { bytes, laid, counterBytes } = layOut(texts);
  const data = viewOf(bytes);
  const encrypted = encryptedCounters(key, data, laid, counterBytes);
  const ghash = new Ghash(encrypted);
  const lengths = new DataView(new ArrayBuffer(BLOCK));
  const tag = new DataView(new ArrayBuffer(TAG_BYTES));
  const sum = new Int32Array(BLOCK / WORD);
  return laid.map((one) => {
    if (one === undefined) return undefined;
    const { text, textBytes, bound, boundBytes, counters } = one;
    const end = text + textBytes;
    const lastBlock = inBlocks(end);
    copyWords(data, end, TAG_BYTES / WORD, tag, 0);
    // The sum is over whole blocks: zeros in place of the tag.
    for (let at = end; at < lastBlock; at += 1) bytes[at] = 0;
    lengths.setInt32(WORD, boundBytes * 8);
    lengths.setInt32(3 * WORD, textBytes * 8);
    sum.fill(0);
    ghash.add(sum, data, bound, bound + inBlocks(boundBytes));
    ghash.add(sum, data, text, lastBlock);
    ghash.add(sum, lengths, 0, BLOCK);
    let difference = 0;
    for (let word = 0; word < sum.length; word += 1)
      difference |= sum[word]! ^ encrypted.getInt32(counters + word * WORD) ^ tag.getInt32(word * WORD);
    if (difference !== 0) return undefined;
    for (let at = text, by = counters + BLOCK; at < lastBlock; at += WORD, by += WORD)
      data.setInt32(at, data.getInt32(at) ^ encrypted.getInt32(by));
    return bytes.subarray(text, end);
  });
};
