/** The SQLite adapter of the vault. */
export { UnusableVault } from './unusable-vault.ts';
export { openSqliteVault, type SqliteVaultOptions } from './vault.ts';
