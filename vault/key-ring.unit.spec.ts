import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Vault } from './port.ts';
import { KeyRing } from './sealing.ts';

/** The part of a vault that a key ring uses, counting its calls. */
const vaultOf = (...userIds: string[]) => {
  const keys = new Map<string, KeyObject>(userIds.map((id) => [id, createSecretKey(randomBytes(32))]));
  const asked: string[][] = [];
  const vault = {
    async key(userId: string) {
      asked.push([userId]);
      return keys.get(userId);
    },
    async keys(ids: readonly string[]) {
      asked.push([...ids]);
      return new Map(ids.flatMap((id) => (keys.has(id) ? [[id, keys.get(id)!] as const] : [])));
    },
  };
  return { keys, asked, vault: vault as unknown as Vault };
};

describe('a key ring', () => {
  it('asks the vault once for a key', async () => {
    const { vault, keys, asked } = vaultOf('1');
    const ring = new KeyRing(vault);
    expect(ring.cached('1')).toBeNull();
    expect(await ring.get('1')).toBe(keys.get('1'));
    expect(await ring.get('1')).toBe(keys.get('1'));
    expect(ring.cached('1')).toBe(keys.get('1'));
    expect(asked).toEqual([['1']]);
  });

  it('loads unknown keys in one call, and remembers who has none', async () => {
    const { vault, keys, asked } = vaultOf('1', '2');
    const ring = new KeyRing(vault);
    await ring.get('1');
    await ring.load(['1', '2', '3', '3']);
    await ring.load(['1', '2', '3']);
    expect(asked).toEqual([['1'], ['2', '3']]);
    expect(ring.cached('2')).toBe(keys.get('2'));
    expect(ring.cached('3')).toBeUndefined();
  });

  it('asks again for a missing key when that one key is requested', async () => {
    const { vault, keys } = vaultOf();
    const ring = new KeyRing(vault);
    await ring.load(['1']);
    expect(await ring.get('1')).toBeUndefined();
    keys.set('1', createSecretKey(randomBytes(32)));
    expect(await ring.get('1')).toBe(keys.get('1'));
    expect(ring.cached('1')).toBe(keys.get('1'));
  });

  it('forgets a key when told to', async () => {
    const { vault, keys } = vaultOf('1');
    const ring = new KeyRing(vault);
    await ring.load(['1']);
    keys.delete('1');
    ring.forget('1');
    expect(ring.cached('1')).toBeNull();
    expect(await ring.get('1')).toBeUndefined();
  });

  it('does not keep a key it read before it was told to forget', async () => {
    const { vault, keys } = vaultOf('1', '2');
    const ring = new KeyRing(vault);
    const loading = ring.load(['1', '2']);
    const getting = ring.get('1');
    keys.delete('1');
    ring.forget('1');
    await Promise.all([loading, getting]);
    expect(ring.cached('1')).toBeUndefined();
    expect(ring.cached('2')).toBe(keys.get('2'));
  });

  it('holds no more keys than its limit', async () => {
    const { vault } = vaultOf('1', '2', '3');
    const ring = new KeyRing(vault, 2);
    await ring.load(['1', '2', '3']);
    expect(['1', '2', '3'].map((id) => ring.cached(id) !== null)).toEqual([false, true, true]);
  });
});
