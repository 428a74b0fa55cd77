/** Secrets that the log must never hold: keys, password hashes, token hashes, usernames. */
import type { KeyObject } from 'node:crypto';

/** Tokens that people, bots and sessions carry. */
export interface SessionClaims {
  /** Of the session, whichever sockets it is on in turn. */
  readonly id: string;
  readonly userId: string;
  /** Generation of the user's tokens. A later generation ends the session. */
  readonly generation: number;
  readonly epoch: string;
  readonly shard: readonly [id: number, count: number];
  readonly intents: number;
}

/** Whose a token is. */
export interface Verified {
  readonly userId: string;
  /** Generation of the user's tokens when it was issued. Absent for a bot's, which counts until it is replaced. */
  readonly generation?: number;
  /** The sign-in that it comes from, with all tokens it was refreshed to. Former versions' tokens have none. */
  readonly signIn?: string;
}

export interface Tokens {
  /**
   * Issues a signed token to a person.
   * @param signIn that it continues; a new one by default, which the vault notes
   * @param device what the client says it is
   * @returns the token, and when it expires, in milliseconds since 1970
   */
  issue(
    userId: string,
    generation: number,
    signIn?: string,
    device?: string,
  ): Promise<{ readonly token: string; readonly expiresAt: number }>;
  /** When a token that is issued now expires, in milliseconds since 1970. */
  lastExpiry(): number;
  /**
   * A bot's token, `<base64url of its id>.<secret>`, with a dot in the secret that does not belong to it. The secret follows from the key of the command that asked for it, so
   * a repeated command gets the same. It counts once the vault has it.
   */
  botToken(userId: string, key: string): Promise<{ readonly token: string; readonly secret: string }>;
  /**
   * Finds the owner of a token. Accepts it with or without a leading `Bot ` or `Bearer `, in any case of letters. Whether its owner has signed out
   * is another question: `isSignedIn`.
   * @returns `undefined` for anything but a valid token of this instance.
   */
  verify(token: string): Promise<Verified | undefined>;
  signSession(claims: SessionClaims): Promise<string>;
  verifySession(sessionId: string): Promise<SessionClaims | undefined>;
}

/** That a person signed in, and what came of it. Times in milliseconds since 1970. */
export interface SignIn {
  readonly id: string;
  readonly userId: string;
  /** Generation of the user's tokens then. */
  readonly generation: number;
  /** What the client said it is. */
  readonly device: string;
  readonly created: number;
  /** Known to within some minutes. */
  readonly lastUsed: number;
  /** When its last token expires. */
  readonly expires: number;
}

/** A secret that admits to something, so many times. Times in milliseconds since 1970. */
export interface Code {
  readonly kind: 'registration' | 'password-reset';
  /** Whose password it resets. */
  readonly userId: string | null;
  readonly madeBy: string;
  /** 0: any number. */
  readonly maxUses: number;
  readonly created: number;
  readonly expires: number | null;
}

export interface KnownCode extends Code {
  /** A hash of the code, which admits to nothing. */
  readonly id: string;
  readonly uses: number;
}

/** Whether a code still admits to something. */
export const isGood = ({ maxUses, expires, uses }: KnownCode, now: number): boolean =>
  (maxUses === 0 || uses < maxUses) && (expires === null || expires > now);

export interface UsernameHolder {
  readonly userId: string;
  /** False from the reservation until the registration's event is stored. */
  readonly confirmed: boolean;
}

/** One record of a vault, as stored, for moving it into another vault. Bytes are base64. */
export type VaultRecord =
  | { readonly kind: 'signing-secret'; readonly secret: string }
  | { readonly kind: 'username'; readonly name: string; readonly userId: string; readonly confirmed: boolean }
  | { readonly kind: 'password'; readonly userId: string; readonly hash: string }
  | { readonly kind: 'token-secret'; readonly userId: string; readonly hash: string }
  | { readonly kind: 'key'; readonly userId: string; readonly key: string }
  | { readonly kind: 'sign-in'; readonly signIn: SignIn }
  | { readonly kind: 'code'; readonly code: KnownCode; readonly usedBy: readonly string[] };

/** Puts back what a change replaced, unless something else has replaced it since. */
export type Undo = () => Promise<void>;

/**
 * The vault and the log change one after the other, and the log decides. What the vault is given before the event has no
 * effect without it (names, keys, first passwords), or is put back when the log refuses (`Undo`). What it is given after
 * the event may be missing for a while: whoever needs it makes up for it.
 */
export interface Vault {
  /** Key for signing tokens and session ids. Created on first use; never changes. */
  signingSecret(): Promise<Buffer>;

  /**
   * Reserves a username, by its `nameKey`, for a user about to be registered.
   * @returns the present holder: `userId` if it got the name, another user if it is taken.
   */
  reserveUsername(username: string, userId: string): Promise<UsernameHolder>;
  /** Call this after the registration's event is stored. Does nothing when another user holds the name. */
  confirmUsername(username: string, userId: string): Promise<void>;
  /**
   * Transfers an unconfirmed reservation from `from`, whose registration never happened, to `to`.
   * @returns the present holder: `to`, unless the name was confirmed, released or taken over in the meantime.
   */
  takeOverUsername(username: string, from: string, to: string): Promise<UsernameHolder | undefined>;
  /** Gives up a reservation that was never confirmed. */
  releaseUsername(username: string, userId: string): Promise<void>;
  /** Also found by the key that former versions gave it. */
  usernameHolder(username: string): Promise<UsernameHolder | undefined>;

  /** Keeps an argon2id hash of the password. */
  setPassword(userId: string, password: string): Promise<void>;
  /**
   * Replaces a password by another. Of several at once, one succeeds.
   * @returns `undefined` when `present` is not the password, or no longer
   */
  changePassword(userId: string, present: string, next: string): Promise<Undo | undefined>;
  /** Takes equally long for an unknown user and for a wrong password. */
  verifyPassword(userId: string | undefined, password: string): Promise<boolean>;

  /** Keeps a hash of a bot's first token secret. @returns whether it is the one kept, now or before */
  addTokenSecret(userId: string, secret: string): Promise<boolean>;
  /** Keeps a hash of a bot's token secret, replacing any earlier one. */
  setTokenSecret(userId: string, secret: string): Promise<Undo>;
  verifyTokenSecret(userId: string, secret: string): Promise<boolean>;

  /** Creates the person's key unless it exists. */
  createKey(userId: string): Promise<KeyObject>;
  /** `undefined` when the key was destroyed or never created: text sealed under it is unreadable. */
  key(userId: string): Promise<KeyObject | undefined>;
  keys(userIds: readonly string[]): Promise<ReadonlyMap<string, KeyObject>>;
  /**
   * Destroys the person's key, and everything else that is kept of them: name, password, token secret, sign-ins, codes. After
   * this nothing sealed under the key can be opened, even from a backup of the other stores. May be repeated.
   */
  erase(userId: string): Promise<void>;

  /** Keeps a sign-in, in place of those of the user whose tokens have all expired or are of an earlier generation. */
  noteSignIn(signIn: SignIn): Promise<void>;
  /** Does nothing for one that is not known. */
  noteUse(signIn: Pick<SignIn, 'id' | 'lastUsed' | 'expires'>): Promise<void>;
  signIns(userId: string): Promise<readonly SignIn[]>;

  /** Keeps a hash of the code. @returns what is kept: of a code that was put before, that */
  putCode(code: string, about: Code): Promise<KnownCode>;
  code(code: string): Promise<KnownCode | undefined>;
  /** The latest first. */
  codes(kind: Code['kind']): Promise<readonly KnownCode[]>;
  /** @returns whether there was one of this id */
  removeCode(id: string): Promise<boolean>;
  /**
   * Counts a use, unless the code admits to nothing more. Of several at once no more succeed than it admits.
   * @param usedBy who uses it: counted once, however often they do
   */
  useCode(code: string, usedBy: string, now: number): Promise<boolean>;
  giveBackCode(code: string, usedBy: string): Promise<void>;

  /**
   * Remembers the highest log position per epoch. A start that finds the log behind it knows that the log lost events.
   */
  rememberPosition(epoch: string, position: number): Promise<void>;
  rememberedPosition(): Promise<{ readonly epoch: string; readonly position: number } | undefined>;

  /** Everything except the remembered position. Whoever has this can read all messages and impersonate everyone. */
  records(): AsyncIterable<VaultRecord>;
  /** Stores records, replacing those of the same names and people. May be repeated. */
  restore(records: readonly VaultRecord[]): Promise<void>;

  close(): Promise<void>;
}
