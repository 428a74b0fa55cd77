import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../../services/testing.ts';
import { vaultContract } from '../contract.ts';
import { openPostgresVault } from './vault.ts';

const passwordCost = { memoryCost: 1024, timeCost: 1, parallelism: 1 };

vaultContract('PostgreSQL', async () => {
  const database = await createDatabase();
  let vault = await openPostgresVault({ url: database.url, passwordCost, takeOverAfterMs: 0 });
  return {
    vault,
    async reopen() {
      await vault.close();
      vault = await openPostgresVault({ url: database.url, passwordCost, takeOverAfterMs: 0 });
      return vault;
    },
    async dispose() {
      await vault.close();
      await database.drop();
    },
  };
});

describe('a vault shared by several nodes', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  it('gives a name to one of many users who reserve it at once on several nodes', async () => {
    const vaults = await Promise.all([1, 2, 3].map(() => openPostgresVault({ url: database.url, passwordCost })));
    const holders = await Promise.all(
      Array.from({ length: 30 }, (_, i) => vaults[i % 3]!.reserveUsername(i % 2 ? 'Ann' : 'ANN', String(i))),
    );
    expect(new Set(holders.map(({ userId }) => userId)).size).toBe(1);
    const secrets = await Promise.all(vaults.map((vault) => vault.signingSecret()));
    expect(new Set(secrets.map((secret) => secret.toString('hex'))).size).toBe(1);
    for (const vault of vaults) await vault.close();
  });

  it('keeps a name for a registration that may be in progress on another node', async () => {
    const vault = await openPostgresVault({ url: database.url, passwordCost });
    await vault.reserveUsername('bob', '1');
    expect(await vault.takeOverUsername('bob', '1', '2')).toEqual({ userId: '1', confirmed: false });
    await vault.close();
  });

  it('throws StoreUnavailable when its server is down', async () => {
    await expect(openPostgresVault({ url: 'postgres://parley@127.0.0.1:1/none' })).rejects.toMatchObject({
      store: 'vault',
    });
  });
});
