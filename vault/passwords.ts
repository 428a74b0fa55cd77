/** Argon2id hashes, computed off the event loop. */
import { createHash, randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { nameKey } from '../schemas/text.ts';

// How every vault stores names and secrets.

/** The key under which former versions kept a username: invisible characters made another name of it. */
export const formerKey = (username: string): string => username.normalize('NFKC').toLowerCase();

/**
 * Which of all stored names get the key of today. Of two that a reader cannot tell apart, one keeps its former key:
 * whoever has it signs in by typing it as it was.
 */
export const renamings = (stored: readonly string[]): readonly (readonly [from: string, to: string])[] => {
  const taken = new Set(stored);
  return stored.flatMap((name) => {
    const key = nameKey(name);
    if (taken.has(key)) return [];
    taken.add(key);
    return [[name, key] as const];
  });
};

/** For secrets that are random themselves. */
export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** Cost of one hash. */
export interface PasswordCost {
  /** KiB. */
  readonly memoryCost: number;
  /** Passes. */
  readonly timeCost: number;
  readonly parallelism: number;
}

/** OWASP's first recommendation for argon2id: 19 MiB, two passes, one lane; about 20 ms here. */
export const DEFAULT_COST: PasswordCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export class Passwords {
  readonly #cost: PasswordCost;
  #nobody: Promise<string> | undefined;

  constructor(cost: PasswordCost) {
    this.#cost = cost;
  }

  hash(password: string): Promise<string> {
    // The library's default algorithm is argon2id; its enum cannot be imported under `verbatimModuleSyntax`.
    return hash(password, this.#cost);
  }

  /** Takes equally long without a known hash, so timing does not reveal who has a password. */
  async verify(known: string | undefined, password: string): Promise<boolean> {
    this.#nobody ??= this.hash(randomBytes(16).toString('hex'));
    const matches = await verify(known ?? (await this.#nobody), password);
    return known !== undefined && matches;
  }
}
