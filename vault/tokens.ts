/**
 * Tokens of people and sessions are signed and not stored. A bot's token is a secret, of which the vault keeps a hash.
 */

import { hkdfSync, randomBytes } from 'node:crypto';
import { createSigner, createVerifier } from 'fast-jwt';
import * as t from 'io-ts';
import { decodeOrUndefined, Snowflake } from '../schemas/codecs.ts';
import type { SessionClaims, Tokens, Vault } from './port.ts';

/** Tokens cannot be revoked yet, so all of a user's tokens have one generation. */
const FIRST_GENERATION = 0;

const BOT_SECRET_BYTES = 32;

/** Verified tokens cached: verifying one again costs a hash instead of a signature check. */
const REMEMBERED = 1_000;

const PersonClaims = t.type({ sub: t.string, gen: t.number });

const Claims = t.type({
  userId: t.string,
  generation: t.number,
  epoch: t.string,
  shard: t.tuple([t.number, t.number]),
  intents: t.number,
});

/** Signs and verifies one kind of token. Each kind has its own key, so no kind passes for another. */
const signing = (secret: Buffer, kind: string) => {
  const key = Buffer.from(hkdfSync('sha256', secret, '', `parley ${kind} token`, 32));
  const sign = createSigner({ key, algorithm: 'HS256' });
  const check = createVerifier({ key, algorithms: ['HS256'], cache: REMEMBERED });
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

export const createTokens = (vault: Vault): Tokens => {
  const signers = (async () => {
    const secret = await vault.signingSecret();
    return { person: signing(secret, 'person'), session: signing(secret, 'session') };
  })();
  // Users of the tokens see the failure later; nobody may be listening yet.
  signers.catch(() => {});

  const verifyBot = async (id: string, secret: string) => {
    const userId = Buffer.from(id, 'base64url').toString('utf8');
    // Anything else is not asked about: a store may not even take it.
    if (!Snowflake.is(userId)) return undefined;
    return (await vault.verifyTokenSecret(userId, secret)) ? { userId, generation: FIRST_GENERATION } : undefined;
  };

  return {
    async issue(userId) {
      return (await signers).person.sign({ sub: userId, gen: FIRST_GENERATION });
    },

    async issueForBot(userId) {
      const secret = randomBytes(BOT_SECRET_BYTES).toString('base64url');
      await vault.setTokenSecret(userId, secret);
      return `${Buffer.from(userId).toString('base64url')}.${secret}`;
    },

    async verify(token) {
      const bare = token.replace(/^(Bot|Bearer) /, '');
      const [id, secret, signature] = bare.split('.');
      if (id && secret && signature === undefined) return verifyBot(id, secret);
      const claims = decodeOrUndefined(PersonClaims, (await signers).person.verify(bare));
      return claims && { userId: claims.sub, generation: claims.gen };
    },

    async signSession(claims) {
      return (await signers).session.sign(claims);
    },

    async verifySession(sessionId): Promise<SessionClaims | undefined> {
      const claims = decodeOrUndefined(Claims, (await signers).session.verify(sessionId));
      if (claims === undefined) return undefined;
      const { userId, generation, epoch, shard, intents } = claims;
      return { userId, generation, epoch, shard, intents };
    },
  };
};
