/**
 * Opening many texts of one person at once. Of the 7 to 10 us that a text takes through Node's AES-GCM, AES itself takes a
 * tenth of one; the rest is making a cipher for each text. GCM is AES in counter mode, and GHASH over what was encrypted, which
 * notices a change. So one cipher of OpenSSL encrypts the counters of all texts here, and one makes the GHASH of all.
 */

import { createCipheriv, type KeyObject } from 'node:crypto';
import type { Sealed } from '../schemas/envelope.ts';
import { additionalData, CIPHER, NONCE_BYTES, openText, type SealedPlace, TAG_BYTES } from './sealing.ts';

export interface SealedText {
  readonly place: SealedPlace;
  readonly sealed: Sealed;
}

/** Fewer than these take less time one by one. */
const FEW = 4;

const BLOCK = 16;
const WORD = 4;

const inBlocks = (bytes: number): number => Math.ceil(bytes / BLOCK) * BLOCK;

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

const copyWords = (from: DataView, at: number, words: number, to: DataView, toAt: number): void => {
  for (let word = 0; word < words; word += 1) to.setInt32(toAt + word * WORD, from.getInt32(at + word * WORD));
};

/** Where a box stands among those of all: its nonce, then the encrypted text, then its tag. */
interface Box {
  readonly nonce: number;
  readonly text: number;
  readonly textBytes: number;
  readonly tag: number;
  /** Where its counters stand among those of all: that of the tag, then one for each block of the text. */
  readonly counters: number;
}

/** @returns all boxes in one buffer, with room for whole words behind each; `undefined` where one is too short */
const boxesOf = (texts: readonly SealedText[]) => {
  let room = 0;
  for (const { sealed } of texts) room += sealed.box.length + BLOCK;
  const bytes = Buffer.alloc(room);
  const boxes: Box[] = [];
  let counters = 0;
  let nonce = 0;
  for (const { sealed } of texts) {
    const boxBytes = bytes.write(sealed.box, nonce, 'base64');
    const textBytes = boxBytes - NONCE_BYTES - TAG_BYTES;
    if (textBytes < 0) return undefined;
    const text = nonce + NONCE_BYTES;
    boxes.push({ nonce, text, textBytes, tag: text + textBytes, counters });
    counters += BLOCK + inBlocks(textBytes);
    nonce += inBlocks(boxBytes);
  }
  return { bytes, boxes, counterBytes: counters };
};

const encryptedCounters = (key: KeyObject, data: DataView, boxes: readonly Box[], bytes: number): DataView => {
  const counters = new DataView(new ArrayBuffer(bytes));
  for (const box of boxes) {
    const end = box.counters + BLOCK + inBlocks(box.textBytes);
    for (let at = box.counters, block = 1; at < end; at += BLOCK, block += 1) {
      copyWords(data, box.nonce, NONCE_BYTES / WORD, counters, at);
      counters.setInt32(at + NONCE_BYTES, block);
    }
  }
  return viewOf(createCipheriv('aes-256-ecb', key, null).update(counters));
};

/**
 * What GHASH is made of, for each text in turn: the additional data, the encrypted text and their lengths, and then the sum
 * that the tag says these have.
 */
const summands = (texts: readonly SealedText[], data: Buffer, boxes: readonly Box[], encrypted: DataView): Buffer => {
  const bounds = texts.map(({ place, sealed }) => additionalData(place, sealed.by));
  let room = 0;
  // In UTF-8, a unit of a string takes three bytes at most.
  for (let i = 0; i < boxes.length; i += 1)
    room += inBlocks(bounds[i]!.length * 3) + inBlocks(boxes[i]!.textBytes) + 2 * BLOCK;
  const bytes = Buffer.alloc(room);
  const [to, from] = [viewOf(bytes), viewOf(data)];
  let at = 0;
  for (let i = 0; i < boxes.length; i += 1) {
    const { text, textBytes, tag, counters } = boxes[i]!;
    const boundBytes = bytes.write(bounds[i]!, at);
    at += inBlocks(boundBytes);
    data.copy(bytes, at, text, tag);
    at += inBlocks(textBytes);
    to.setInt32(at + WORD, boundBytes * 8);
    to.setInt32(at + 3 * WORD, textBytes * 8);
    at += BLOCK;
    for (let word = 0; word < BLOCK; word += WORD)
      to.setInt32(at + word, from.getInt32(tag + word) ^ encrypted.getInt32(counters + word));
    at += BLOCK;
  }
  return bytes.subarray(0, at);
};

/** Any will do: nobody sees what comes of it. */
const NONCE = Buffer.alloc(NONCE_BYTES);

const tagOver = (key: KeyObject, bytes: Buffer): Buffer => {
  const cipher = createCipheriv(CIPHER, key, NONCE).setAAD(bytes);
  cipher.final();
  return cipher.getAuthTag();
};

/**
 * Whether all texts have the sums that their tags say. The GHASH of blocks X1 to Xn is X1 H^n + ... + Xn H. It is 0 after a
 * text and its own sum, and so after all of them, as after zeros. Otherwise it is 0 only if H, which depends on the key alone,
 * happens to be a root of this polynomial: of 2^128 elements at most n are.
 */
const areWhole = (key: KeyObject, blocks: Buffer): boolean =>
  tagOver(key, blocks).equals(tagOver(key, Buffer.alloc(blocks.length)));

/** @returns `undefined` when one of them does not open */
const openedTogether = (key: KeyObject, texts: readonly SealedText[]): string[] | undefined => {
  const laid = boxesOf(texts);
  if (laid === undefined) return undefined;
  const { bytes, boxes, counterBytes } = laid;
  const data = viewOf(bytes);
  const encrypted = encryptedCounters(key, data, boxes, counterBytes);
  if (!areWhole(key, summands(texts, bytes, boxes, encrypted))) return undefined;
  return boxes.map(({ text, textBytes, tag, counters }) => {
    for (let at = text, by = counters + BLOCK; at < tag; at += WORD, by += WORD)
      data.setInt32(at, data.getInt32(at) ^ encrypted.getInt32(by));
    return bytes.toString('utf8', text, text + textBytes);
  });
};

/**
 * Opens each as `openText` does.
 * @param texts all under this key
 */
export const openTexts = (key: KeyObject, texts: readonly SealedText[]): (string | undefined)[] => {
  if (texts.length < FEW) return texts.map(({ place, sealed }) => openText(key, place, sealed));
  const opened = openedTogether(key, texts);
  if (opened !== undefined) return opened;
  // Some do not open. Halves of which all do are still opened together.
  const half = texts.length >> 1;
  return [...openTexts(key, texts.slice(0, half)), ...openTexts(key, texts.slice(half))];
};
