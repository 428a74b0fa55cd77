/** Secrets that the log must never hold: keys, password hashes, token hashes, usernames. */
import type { KeyObject } from 'node:crypto';

/** Tokens that people, bots and sessions carry. */
export interface SessionClaims {
  readonly userId: string;
  /** Generation of the user's tokens; a later one ends the session. */
  readonly generation: number;
  readonly epoch: string;
  readonly shard: readonly [id: number, count: number];
  readonly intents: number;
}

export interface Tokens {
  /** A signed token for a person who gave the right password. */
  issue(userId: string): Promise<string>;
  /** A bot's token, shown once: `<base64url of its id>.<secret>`; only a hash of the secret is kept. */
  issueForBot(userId: string): Promise<string>;
  /**
   * Whose token this is. Takes it with or without `Bot ` or `Bearer ` before it.
   * @returns `undefined` for anything that is not a token of this instance that is still good.
   */
  verify(token: string): Promise<{ readonly userId: string; readonly generation: number } | undefined>;
  signSession(claims: SessionClaims): Promise<string>;
  verifySession(sessionId: string): Promise<SessionClaims | undefined>;
}

export interface UsernameHolder {
  readonly userId: string;
  /** False between the reservation and the registration's event. */
  readonly confirmed: boolean;
}

/** What a vault holds, one fact at a time and as it is stored, so that it can be moved into another. Bytes are base64. */
export type VaultRecord =
  | { readonly kind: 'signing-secret'; readonly secret: string }
  | { readonly kind: 'username'; readonly name: string; readonly userId: string; readonly confirmed: boolean }
  | { readonly kind: 'password'; readonly userId: string; readonly hash: string }
  | { readonly kind: 'token-secret'; readonly userId: string; readonly hash: string }
  | { readonly kind: 'key'; readonly userId: string; readonly key: string };

export interface Vault {
  /** Key for signing tokens and session ids; made on first use, the same for ever after. */
  signingSecret(): Promise<Buffer>;

  /**
   * Holds a username (compared without regard to case) for a user who is about to be registered.
   * @returns the present holder: the caller's own user id when it got the name, somebody else's when it is taken.
   */
  reserveUsername(username: string, userId: string): Promise<UsernameHolder>;
  /** After the registration's event is stored. Does nothing when somebody else holds the name. */
  confirmUsername(username: string, userId: string): Promise<void>;
  /**
   * Hands an unconfirmed reservation of `from`, whose registration never happened, to `to`.
   * @returns the present holder: `to` unless the name was confirmed, released or taken over in the meantime.
   */
  takeOverUsername(username: string, from: string, to: string): Promise<UsernameHolder | undefined>;
  /** Gives up a reservation that was never confirmed. */
  releaseUsername(username: string, userId: string): Promise<void>;
  usernameHolder(username: string): Promise<UsernameHolder | undefined>;

  /** Keeps an argon2id hash of the password. */
  setPassword(userId: string, password: string): Promise<void>;
  /** Takes as long for an unknown user as for a wrong password. */
  verifyPassword(userId: string | undefined, password: string): Promise<boolean>;

  /** Keeps a hash of a bot's token secret, in place of any former one. */
  setTokenSecret(userId: string, secret: string): Promise<void>;
  verifyTokenSecret(userId: string, secret: string): Promise<boolean>;

  /** Makes the person's key unless there is one. */
  createKey(userId: string): Promise<KeyObject>;
  /** `undefined` when the key was destroyed or never made: what was sealed under it is noise now. */
  key(userId: string): Promise<KeyObject | undefined>;
  keys(userIds: readonly string[]): Promise<ReadonlyMap<string, KeyObject>>;
  /** After this nothing sealed under the key can be opened, from a backup of the other stores neither. */
  destroyKey(userId: string): Promise<void>;

  /** Highest log position the vault was told of, by epoch; a start that finds the log behind it knows the log lost something. */
  rememberPosition(epoch: string, position: number): Promise<void>;
  rememberedPosition(): Promise<{ readonly epoch: string; readonly position: number } | undefined>;

  /** Everything it holds but the remembered position. Whoever has this can read and be everybody. */
  records(): AsyncIterable<VaultRecord>;
  /** Takes records over in place of what it holds of the same names and people. May be repeated. */
  restore(records: readonly VaultRecord[]): Promise<void>;

  close(): Promise<void>;
}
