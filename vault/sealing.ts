/** Sealing typed text with AES-256-GCM, so it opens only in the place it was written for. */

import { createCipheriv, createDecipheriv, hash, type KeyObject, randomFillSync } from 'node:crypto';
import type * as t from 'io-ts';
import type { LRUCache } from 'lru-cache';
import { decodeOrUndefined } from '../schemas/codecs.ts';
import type { Sealed } from '../schemas/envelope.ts';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import { lru } from '../schemas/lru.ts';
import type { Vault } from './port.ts';

// A bounded cache of people's keys, which fetches missing keys together.

/** About 300 bytes each. */
const MOST_KEYS = 50_000;

export class KeyRing {
  readonly #vault: Vault;
  /** `gone` is cached too, so a person without a key costs no reads. `erased`: it does not come back. */
  readonly #entries: LRUCache<string, KeyObject | 'gone' | 'erased'>;
  /** Raised by `forget`: a key read from the vault before it must not be cached after it. */
  #forgotten = 0;

  constructor(vault: Vault, max: number = MOST_KEYS) {
    this.#vault = vault;
    this.#entries = lru(max);
  }

  /** `undefined` when the key was destroyed or never created. */
  async get(userId: string): Promise<KeyObject | undefined> {
    // A missing key may have been created since. Only `load`, for authors of stored text, trusts that it is gone.
    const cached = this.cached(userId);
    if (cached) return cached;
    if (this.#entries.get(userId) === 'erased') return undefined;
    const before = this.#forgotten;
    const key = await this.#vault.key(userId);
    if (key !== undefined && before === this.#forgotten) this.#entries.set(userId, key);
    return key;
  }

  /** The cached state, without asking the vault: the key, `undefined` if it is gone, `null` if it is not loaded. */
  cached(userId: string): KeyObject | undefined | null {
    const entry = this.#entries.get(userId);
    if (entry === undefined) return null;
    return entry === 'gone' || entry === 'erased' ? undefined : entry;
  }

  /** After this `cached` has these people's keys, up to the limit of the ring. */
  async load(userIds: readonly string[]): Promise<void> {
    const missing = [...new Set(userIds)].filter((userId) => !this.#entries.has(userId));
    if (missing.length === 0) return;
    const before = this.#forgotten;
    const keys = await this.#vault.keys(missing);
    if (before !== this.#forgotten) return this.load(missing);
    for (const userId of missing) this.#entries.set(userId, keys.get(userId) ?? 'gone');
  }

  /** Call with every event that this process receives or stores. */
  heard(event: ParleyEvent): void {
    if (event.type !== 'user-deleted') return;
    this.#forgotten += 1;
    // The vault may still have the key for a moment.
    this.#entries.set(event.data.userId, 'erased');
  }

  /** Call this when a person's key is created or destroyed after the ring may have looked for it. */
  forget(userId: string): void {
    this.#forgotten += 1;
    this.#entries.delete(userId);
  }
}

export const CIPHER = 'aes-256-gcm';
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;

/** The event that a sealed text is bound to. */
export interface SealedPlace {
  readonly stream: string;
  readonly eventId: string;
}

/** Random bytes come in blocks: one call per nonce would take longer than encrypting a message. */
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

/** No part can contain a line break, so no two places have the same form. */
export const additionalData = (place: SealedPlace, by: string): string => `${place.stream}\n${place.eventId}\n${by}`;

/**
 * Seals a text under its author's key.
 * @param place the event the text will be stored in, and its author
 */
export const sealText = (key: KeyObject, place: SealedPlace & { readonly by: string }, text: string): Sealed => {
  const nonce = nextNonce();
  const cipher = createCipheriv(CIPHER, key, nonce);
  cipher.setAAD(Buffer.from(additionalData(place, place.by)));
  const encrypted = cipher.update(text, 'utf8');
  cipher.final();
  const box = Buffer.concat([nonce, encrypted, cipher.getAuthTag()]).toString('base64');
  return { by: place.by, box };
};

/**
 * Opens text sealed by `sealText`.
 * @returns `undefined` when the key is gone, or the box is damaged or belongs to another event or person
 */
export const openText = (key: KeyObject | undefined, place: SealedPlace, sealed: Sealed): string | undefined => {
  if (key === undefined) return undefined;
  const box = Buffer.from(sealed.box, 'base64');
  const end = box.length - TAG_BYTES;
  if (end < NONCE_BYTES) return undefined;
  const decipher = createDecipheriv(CIPHER, key, box.subarray(0, NONCE_BYTES));
  decipher.setAAD(Buffer.from(additionalData(place, sealed.by)));
  decipher.setAuthTag(box.subarray(end));
  const text = decipher.update(box.subarray(NONCE_BYTES, end));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return text.toString('utf8');
};

/** Opens what was sealed as the JSON of a value. @returns `undefined` as `openText` does, or when it is no such value */
export const openAs = <A>(
  codec: t.Type<A, unknown, unknown>,
  key: KeyObject | undefined,
  place: SealedPlace,
  sealed: Sealed,
): A | undefined => {
  const text = openText(key, place, sealed);
  return text === undefined ? undefined : decodeOrUndefined(codec, JSON.parse(text));
};

/** The same for the same value, in whatever order the fields of its objects stand. */
const inOneOrder = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(inOneOrder);
  // Without a prototype, every name is one of a field.
  const ordered = Object.create(null) as Record<string, unknown>;
  for (const name of Object.keys(value).sort()) ordered[name] = inOneOrder((value as Record<string, unknown>)[name]);
  return ordered;
};

/** Whether JSON of the value has all fields in the order of `inOneOrder`. */
const isInOneOrder = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return true;
  if (value instanceof Number) return false;
  const isList = Array.isArray(value);
  let former = '';
  for (const name in value) {
    if (!(isList || former <= name) || !isInOneOrder((value as Record<string, unknown>)[name])) return false;
    former = name;
  }
  return true;
};

const jsonInOneOrder = (value: unknown): string => JSON.stringify(isInOneOrder(value) ? value : inOneOrder(value));

// HMAC (RFC 2104) on hashes made in one call each: an Hmac object takes twice as long, and its end burdens the collector.

/** Of SHA-256; the keys are shorter. */
const BLOCK_BYTES = 64;
const INNER = 0x36;
const OUTER = 0x5c;

interface Pads {
  readonly inner: Buffer;
  readonly outer: Buffer;
}

const pads = new WeakMap<KeyObject, Pads>();

const padsOf = (key: KeyObject): Pads => {
  const known = pads.get(key);
  if (known !== undefined) return known;
  const block = Buffer.concat([key.export(), Buffer.alloc(BLOCK_BYTES)], BLOCK_BYTES);
  const padded = (pad: number) => Buffer.from(block.map((byte) => byte ^ pad));
  const made = { inner: padded(INNER), outer: padded(OUTER) };
  pads.set(key, made);
  return made;
};

const scratch = Buffer.alloc(8_192);
const outerScratch = Buffer.alloc(BLOCK_BYTES + 32);

/** @returns in base64url */
const hmac = (key: KeyObject, message: string): string => {
  const { inner, outer } = padsOf(key);
  const most = BLOCK_BYTES + 3 * message.length;
  const bytes = most <= scratch.length ? scratch : Buffer.allocUnsafe(most);
  bytes.set(inner);
  const end = BLOCK_BYTES + bytes.write(message, BLOCK_BYTES, 'utf8');
  outerScratch.set(outer);
  outerScratch.write(hash('sha256', bytes.subarray(0, end), 'binary'), BLOCK_BYTES, 'binary');
  return hash('sha256', outerScratch, 'base64url');
};

const FINGERPRINT_LENGTH = 11;

/**
 * 66 bits by which two values of one person are told apart. Without the person's key nobody can try what the value was, so
 * it is forgotten with what is sealed under the key.
 */
export const fingerprint = (key: KeyObject, value: unknown): string =>
  hmac(key, `fingerprint\n${jsonInOneOrder(value)}`).slice(0, FINGERPRINT_LENGTH);
