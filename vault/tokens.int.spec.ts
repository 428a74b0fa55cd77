import { hkdfSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createSigner } from 'fast-jwt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../schemas/clock.ts';
import type { SessionClaims, Tokens, Vault } from './port.ts';
import { openSqliteVault } from './sqlite/vault.ts';
import { createTokens } from './tokens.ts';

/** Moved by hand, in milliseconds since 1970. */
let now = 0;
const OPTIONS = { clock: { ...systemClock, wallTime: () => now }, lifetime: 100 };

let directory: string;
let vault: Vault;
let tokens: Tokens;
beforeEach(async () => {
  now = 1_000_000;
  directory = mkdtempSync(join(tmpdir(), 'parley-tokens-'));
  vault = await openSqliteVault({ directory });
  tokens = createTokens(vault, OPTIONS);
});
afterEach(async () => {
  await vault.close();
  rmSync(directory, { recursive: true });
});

/** Tokens after the signing key was removed: everything signed before is void. */
const withAnotherSecret = async (): Promise<Tokens> => {
  await vault.close();
  rmSync(join(directory, 'signing.key'));
  vault = await openSqliteVault({ directory });
  return createTokens(vault, OPTIONS);
};

const CLAIMS: SessionClaims = { id: 'one', userId: '17', generation: 0, epoch: 'one', shard: [0, 1], intents: 513 };

/** The token with one character replaced by another. */
const changed = (token: string, at: number): string => {
  const i = at % token.length;
  return token.slice(0, i) + (token[i] === 'x' ? 'y' : 'x') + token.slice(i + 1);
};

describe('a person’s token', () => {
  it('identifies its owner, with or without the prefixes that libraries add', async () => {
    const token = (await tokens.issue('17', 0)).token;
    for (const form of [
      token,
      `Bearer ${token}`,
      `bearer ${token}`,
      `BEARER  ${token}`,
      `Bot ${token}`,
      `bot ${token}`,
    ])
      expect(await tokens.verify(form)).toEqual({ userId: '17', generation: 0, signIn: expect.any(String) });
  });

  it('stays valid after a restart, and is void under another secret', async () => {
    const token = (await tokens.issue('17', 0)).token;
    expect(await createTokens(vault, OPTIONS).verify(token)).toBeDefined();
    expect(await (await withAnotherSecret()).verify(token)).toBeUndefined();
  });

  it('is void when any character has changed', async () => {
    const token = (await tokens.issue('17', 0)).token;
    await fc.assert(
      // The last character of a signature has unused bits.
      fc.asyncProperty(fc.nat({ max: token.length - 2 }), async (at) => {
        expect(await tokens.verify(changed(token, at))).toBeUndefined();
      }),
    );
  });

  it('cannot be made up', async () => {
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"17","gen":0}').toString('base64url')}.`;
    for (const token of ['', '.', '..', 'Bearer ', 'a.b', 'a.b.c', 'a.b.c.d', unsigned, 'Bearer Bearer x'])
      expect(await tokens.verify(token)).toBeUndefined();
    await fc.assert(
      fc.asyncProperty(fc.string(), async (token) => {
        expect(await tokens.verify(token)).toBeUndefined();
      }),
    );
  });
});

describe('the time of a person’s token', () => {
  it('ends, also that of a refreshed one of the same sign-in', async () => {
    const { token, expiresAt } = await tokens.issue('17', 3);
    expect(expiresAt).toBe(1_100_000);
    now = 1_060_000;
    const { signIn } = (await tokens.verify(token))!;
    const refreshed = await tokens.issue('17', 3, signIn);
    now = 1_099_999;
    expect(await tokens.verify(token)).toEqual({ userId: '17', generation: 3, signIn });
    now = 1_100_000;
    expect(await tokens.verify(token)).toBeUndefined();
    expect(await tokens.verify(refreshed.token)).toEqual({ userId: '17', generation: 3, signIn });
    expect(tokens.lastExpiry()).toBeGreaterThanOrEqual(refreshed.expiresAt);
    now = 1_160_000;
    expect(await tokens.verify(refreshed.token)).toBeUndefined();
  });

  it('is as long for those that former versions issued without an end', async () => {
    const key = Buffer.from(hkdfSync('sha256', await vault.signingSecret(), '', 'parley person token', 32));
    const former = createSigner({ key, algorithm: 'HS256' })({ sub: '17', gen: 0, iat: 1_000 });
    expect(await tokens.verify(former)).toEqual({ userId: '17', generation: 0 });
    now = 1_100_000;
    expect(await tokens.verify(former)).toBeUndefined();
  });

  it('differs between two sign-ins', async () => {
    const signIns = [await tokens.issue('17', 0), await tokens.issue('17', 0)].map(({ token }) => tokens.verify(token));
    const [one, other] = await Promise.all(signIns);
    expect(one?.signIn).not.toBe(other?.signIn);
  });
});

describe('a bot’s token', () => {
  const issued = async (id: string, key: string) => {
    const { token, secret } = await tokens.botToken(id, key);
    await vault.setTokenSecret(id, secret);
    return token;
  };

  it('begins with the bot’s id and identifies the bot, without end', async () => {
    const token = await issued('42', 'a');
    expect(token.split('.')[0]).toBe(Buffer.from('42').toString('base64url'));
    now = Number.MAX_SAFE_INTEGER;
    expect(await tokens.verify(`Bot ${token}`)).toEqual({ userId: '42' });
  });

  it('has three parts, and the two of former versions count too, but no others', async () => {
    const token = await issued('42', 'a');
    const [id, head, rest] = token.split('.') as [string, string, string];
    expect(token).toMatch(/^[\w-]+\.[\w-]{6}\.[\w-]{27,}$/);
    for (const former of [`${id}.${head}${rest}`, `Bot ${id}.${head}${rest}`])
      expect(await tokens.verify(former)).toEqual({ userId: '42' });
    const others = [`${id}.${head}.${rest}.`, `${id}.${head}${rest[0]}.${rest.slice(1)}`, `${id}..${head}${rest}`];
    for (const other of [...others, `${id}.${head}${rest}.`, `${id}.${head}.`, `${id}.`, id])
      expect(await tokens.verify(other)).toBeUndefined();
  });

  it('is the same for the same command, and replaced by that of another', async () => {
    const first = await issued('42', 'a');
    expect(await issued('42', 'a')).toBe(first);
    const second = await issued('42', 'b');
    expect(await tokens.verify(first)).toBeUndefined();
    expect(await tokens.verify(second)).toBeDefined();
  });

  it('is void when changed, and for another bot', async () => {
    const token = await issued('42', 'a');
    await issued('43', 'a');
    const secret = token.slice(token.indexOf('.') + 1);
    expect(await tokens.verify(changed(token, token.length - 2))).toBeUndefined();
    expect(await tokens.verify(`${Buffer.from('43').toString('base64url')}.${secret}`)).toBeUndefined();
  });

  it('is void, and no store is asked about it, when it begins with what is no id', async () => {
    const asked: string[] = [];
    const watched = Object.assign(Object.create(vault), {
      verifyTokenSecret: async (userId: string) => void asked.push(userId),
    }) as Vault;
    for (const id of ['\0', '42\0', '\ud800', 'x'.repeat(5000), '😀', ''])
      expect(
        await createTokens(watched, OPTIONS).verify(`${Buffer.from(id).toString('base64url')}.secret`),
      ).toBeUndefined();
    expect(asked).toEqual([]);
  });
});

describe('a session id', () => {
  it('carries the session’s claims', async () => {
    const sessionId = await tokens.signSession(CLAIMS);
    expect(await tokens.verifySession(sessionId)).toEqual(CLAIMS);
    expect(await createTokens(vault, OPTIONS).verifySession(sessionId)).toEqual(CLAIMS);
  });

  it('is void when changed, and under another secret', async () => {
    const sessionId = await tokens.signSession(CLAIMS);
    for (const at of [0, 10, 40, sessionId.length - 5])
      expect(await tokens.verifySession(changed(sessionId, at))).toBeUndefined();
    expect(await (await withAnotherSecret()).verifySession(sessionId)).toBeUndefined();
  });

  it('is not a token, and a token is not a session id', async () => {
    expect(await tokens.verify(await tokens.signSession(CLAIMS))).toBeUndefined();
    expect(await tokens.verifySession((await tokens.issue('17', 0)).token)).toBeUndefined();
  });
});
