/** Sealing what people typed: AES-256-GCM, so that a text opens only in the place it was written for. */

import { createCipheriv, createDecipheriv, type KeyObject, randomFillSync } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Sealed } from '../schemas/envelope.ts';
import type { Vault } from './port.ts';

// People's keys in memory: bounded, and fetched together when several are missing.

/** A key takes about 300 bytes. */
const MOST_KEYS = 50_000;

export class KeyRing {
  readonly #vault: Vault;
  /** `gone` is remembered too, so that an erased person costs no reads. */
  readonly #entries: LRUCache<string, KeyObject | 'gone'>;
  /** Raised by `forget`: what was read from the vault before it must not be kept after it. */
  #forgotten = 0;

  constructor(vault: Vault, max: number = MOST_KEYS) {
    this.#vault = vault;
    this.#entries = new LRUCache({ max });
  }

  /** `undefined` when the key was destroyed or never made. */
  async get(userId: string): Promise<KeyObject | undefined> {
    // A key not there yet may have been made since; only `load`, whose people have all spoken, takes that for an answer.
    const cached = this.cached(userId);
    if (cached) return cached;
    const before = this.#forgotten;
    const key = await this.#vault.key(userId);
    if (key !== undefined && before === this.#forgotten) this.#entries.set(userId, key);
    return key;
  }

  /** What is known without asking the vault: the key, `undefined` when it is gone, `null` when it is not loaded. */
  cached(userId: string): KeyObject | undefined | null {
    const entry = this.#entries.get(userId);
    if (entry === undefined) return null;
    return entry === 'gone' ? undefined : entry;
  }

  /** After this `cached` knows these people's keys, or as many as the ring holds. */
  async load(userIds: readonly string[]): Promise<void> {
    const missing = [...new Set(userIds)].filter((userId) => !this.#entries.has(userId));
    if (missing.length === 0) return;
    const before = this.#forgotten;
    const keys = await this.#vault.keys(missing);
    if (before !== this.#forgotten) return this.load(missing);
    for (const userId of missing) this.#entries.set(userId, keys.get(userId) ?? 'gone');
  }

  /** To be called when a person's key was made, or destroyed, after the ring may have looked for it. */
  forget(userId: string): void {
    this.#forgotten += 1;
    this.#entries.delete(userId);
  }
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Where a sealed text lies: it is bound to that event. */
interface SealedPlace {
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
