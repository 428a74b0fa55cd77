/** People's keys in memory: bounded, and fetched together when several are missing. */
import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Vault } from './port.ts';

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
