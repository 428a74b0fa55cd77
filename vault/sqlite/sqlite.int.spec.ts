import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vaultContract } from '../contract.ts';
import { openSqliteVault } from './vault.ts';

const passwordCost = { memoryCost: 64, timeCost: 1, parallelism: 1 };

vaultContract('SQLite', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'parley-vault-'));
  let vault = await openSqliteVault({ directory, passwordCost });
  return {
    vault,
    async reopen() {
      await vault.close();
      vault = await openSqliteVault({ directory, passwordCost });
      return vault;
    },
    async dispose() {
      await vault.close();
      rmSync(directory, { recursive: true });
    },
  };
});
