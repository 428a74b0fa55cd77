/** Sealing what people typed: AES-256-GCM, so that a text opens only in the place it was written for. */
import { createCipheriv, createDecipheriv, type KeyObject, randomFillSync } from 'node:crypto';
import type { Sealed } from '../schemas/envelope.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Where a sealed text lies: it is bound to that event. */
export interface SealedPlace {
  readonly stream: string;
  readonly eventId: string;
}

/** Random bytes are asked for in blocks: one call a nonce would take longer than the encryption of a message. */
const block = Buffer.alloc(NONCE_BYTES * 1_024);
let used = block.length;

const nextNonce = (): Buffer => {
  if (used === block.length) {
    randomFillSync(block);
    used = 0;
  }
  used += NONCE_BYTES;
  return block.subarray(used - NONCE_BYTES, used);
};

/** No part can contain a line end, so no two places share one form. */
const additionalData = (place: SealedPlace, by: string): Buffer =>
  Buffer.from(`${place.stream}\n${place.eventId}\n${by}`);

/**
 * Seals a text under its author's key.
 * @param place the event the text will be stored in, and its author
 */
export const sealText = (key: KeyObject, place: SealedPlace & { readonly by: string }, text: string): Sealed => {
  const nonce = nextNonce();
  const cipher = createCipheriv(CIPHER, key, nonce);
  cipher.setAAD(additionalData(place, place.by));
  const encrypted = cipher.update(text, 'utf8');
  cipher.final();
  const box = Buffer.concat([nonce, encrypted, cipher.getAuthTag()]).toString('base64');
  return { by: place.by, box };
};

/**
 * Opens what `sealText` made.
 * @returns `undefined` when the key is gone, or the box is damaged or belongs to another event or person
 */
export const openText = (key: KeyObject | undefined, place: SealedPlace, sealed: Sealed): string | undefined => {
  if (key === undefined) return undefined;
  const box = Buffer.from(sealed.box, 'base64');
  const end = box.length - TAG_BYTES;
  if (end < NONCE_BYTES) return undefined;
  const decipher = createDecipheriv(CIPHER, key, box.subarray(0, NONCE_BYTES));
  decipher.setAAD(additionalData(place, sealed.by));
  decipher.setAuthTag(box.subarray(end));
  const text = decipher.update(box.subarray(NONCE_BYTES, end));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return text.toString('utf8');
};
