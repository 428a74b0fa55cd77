/**
 * Tokens of people and sessions are signed and not stored. A bot's token is a secret, of which the vault keeps a hash.
 */

import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { createSigner, createVerifier } from 'fast-jwt';
import * as t from 'io-ts';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../schemas/clock.ts';
import { decodeOrUndefined, Snowflake } from '../schemas/codecs.ts';
import type { SessionClaims, Tokens, Vault } from './port.ts';

const SIGN_IN_BYTES = 9;

/** Characters of a bot's secret before its dot. Libraries look for three parts; former versions' tokens have two. */
const SECRET_HEAD = 6;

/** Verified tokens cached: verifying one again costs a hash instead of a signature check. */
const REMEMBERED = 1_000;

/** How often it is noted that a sign-in is used. */
const NOTE_EVERY_MS = 300_000;

const PersonClaims = t.intersection([
  t.type({ sub: t.string, gen: t.number, iat: t.number }),
  // Former versions issued tokens that belong to no sign-in and never expire: they last as long as others from then on.
  t.partial({ exp: t.number, sid: t.string }),
]);

const Claims = t.intersection([
  t.type({
    userId: t.string,
    generation: t.number,
    epoch: t.string,
    shard: t.tuple([t.number, t.number]),
    intents: t.number,
  }),
  // Former versions gave sessions no id.
  t.partial({ id: t.string }),
]);

/** Signs and verifies one kind of token. Each kind has its own key, so no kind passes for another. */
const signing = (secret: Buffer, kind: string) => {
  const key = Buffer.from(hkdfSync('sha256', secret, '', `parley ${kind} token`, 32));
  const sign = createSigner({ key, algorithm: 'HS256' });
  // Expiry is checked against our own clock.
  const check = createVerifier({ key, algorithms: ['HS256'], cache: REMEMBERED, ignoreExpiration: true });
  return {
    sign: (claims: object) => sign({ ...claims }),
    verify: (token: string): unknown => {
      try {
        return check(token);
      } catch {
        return undefined;
      }
    },
  };
};

export interface TokenOptions {
  readonly clock: Clock;
  /** How long a person's token lasts, in seconds. */
  readonly lifetime: number;
}

export const createTokens = (vault: Vault, { clock, lifetime }: TokenOptions): Tokens => {
  const keys = (async () => {
    const secret = await vault.signingSecret();
    const bots = Buffer.from(hkdfSync('sha256', secret, '', 'parley bot secret', 32));
    return { person: signing(secret, 'person'), session: signing(secret, 'session'), bots };
  })();
  // Users of the tokens see the failure later; nobody may be listening yet.
  keys.catch(() => {});

  /** @returns the secret; `undefined` when the token has another form */
  const secretIn = (parts: readonly string[]): string | undefined => {
    const [, head = '', rest] = parts;
    if (parts.length === 2) return head;
    return parts.length === 3 && head.length === SECRET_HEAD ? `${head}${rest}` : undefined;
  };

  const verifyBot = async (userId: string, parts: readonly string[]) => {
    const secret = secretIn(parts);
    if (secret === undefined || secret === '') return undefined;
    return (await vault.verifyTokenSecret(userId, secret)) ? { userId } : undefined;
  };
  /** Whoever signs in does not wait for the list of sign-ins, nor depend on it. */
  const note = (noting: Promise<void>): void => void noting.catch(() => {});
  /** When each sign-in was last noted as used. */
  const noted = new LRUCache<string, number>({ max: REMEMBERED });
  const used = (id: string, expires: number): void => {
    const now = clock.wallTime();
    if (now - (noted.get(id) ?? 0) < NOTE_EVERY_MS) return;
    noted.set(id, now);
    note(vault.noteUse({ id, lastUsed: now, expires }));
  };
  const seconds = () => Math.floor(clock.wallTime() / 1000);

  return {
    async issue(userId, generation, signIn, device = '') {
      const iat = seconds();
      const exp = iat + lifetime;
      const id = signIn ?? randomBytes(SIGN_IN_BYTES).toString('base64url');
      const times = { lastUsed: iat * 1000, expires: exp * 1000 };
      if (signIn === undefined)
        note(vault.noteSignIn({ id, userId, generation, device, created: iat * 1000, ...times }));
      else used(id, times.expires);
      const token = (await keys).person.sign({ sub: userId, gen: generation, sid: id, iat, exp });
      return { token, expiresAt: exp * 1000 };
    },

    lastExpiry: () => (seconds() + lifetime) * 1000,

    async botToken(userId, key) {
      const secret = createHmac('sha256', (await keys).bots)
        .update(`${userId} ${key}`)
        .digest('base64url');
      const parts = [
        Buffer.from(userId).toString('base64url'),
        secret.slice(0, SECRET_HEAD),
        secret.slice(SECRET_HEAD),
      ];
      return { token: parts.join('.'), secret };
    },

    async verify(token) {
      const bare = token.replace(/^(Bot|Bearer) +/i, '');
      const parts = bare.split('.');
      const userId = Buffer.from(parts[0]!, 'base64url').toString('utf8');
      // Anything else is not asked about: a store may not even take it.
      if (Snowflake.is(userId)) return verifyBot(userId, parts);
      const claims = decodeOrUndefined(PersonClaims, (await keys).person.verify(bare));
      if (claims === undefined) return undefined;
      const expires = claims.exp ?? claims.iat + lifetime;
      if (expires <= seconds()) return undefined;
      if (claims.sid !== undefined) used(claims.sid, expires * 1000);
      return {
        userId: claims.sub,
        generation: claims.gen,
        ...(claims.sid === undefined ? {} : { signIn: claims.sid }),
      };
    },

    async signSession(claims) {
      return (await keys).session.sign(claims);
    },

    async verifySession(sessionId): Promise<SessionClaims | undefined> {
      const claims = decodeOrUndefined(Claims, (await keys).session.verify(sessionId));
      if (claims === undefined) return undefined;
      const { id = sessionId, userId, generation, epoch, shard, intents } = claims;
      return { id, userId, generation, epoch, shard, intents };
    },
  };
};
