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
