/** Opening vault.db, with a clear answer when it is not what it should be. */
import { chmodSync, closeSync, existsSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { APPLICATION_ID, FORMAT_VERSION, SCHEMA, VAULT_FILE } from './schema.ts';
import { UnusableVault } from './unusable-vault.ts';

const scalar = (database: Database.Database, sql: string): unknown =>
  (database.prepare(sql).raw(true).get() as [unknown] | undefined)?.[0];

const explained = (file: string, error: unknown): unknown => {
  if (error instanceof UnusableVault) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const code = String((error as { code?: unknown }).code ?? '');
  if (code.startsWith('SQLITE_NOTADB'))
    return new UnusableVault(
      `${file} is not a Parley vault. Move it elsewhere, or set PARLEY_DATA to another directory.`,
    );
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_IOERR_SHORT_READ')
    return new UnusableVault(
      `${file} is damaged or cut short (${reason}). Nothing was changed. Put back the whole data directory from a backup.`,
      error,
    );
  if (code.startsWith('SQLITE_READONLY') || code.startsWith('EACCES') || code.startsWith('EROFS'))
    return new UnusableVault(
      `${file} cannot be written to. Check its owner, its permissions and how its disk is mounted.`,
      error,
    );
  return new UnusableVault(`${file} cannot be used: ${reason}.`, error);
};

const prepare = (file: string, database: Database.Database): void => {
  const application = scalar(database, 'PRAGMA application_id');
  const unused = application === 0 && scalar(database, 'SELECT count(*) FROM sqlite_master') === 0;
  if (!unused && application !== APPLICATION_ID)
    throw new UnusableVault(
      `${file} is an SQLite database of some other program. Move it elsewhere, or set PARLEY_DATA to another directory.`,
    );
  const version = Number(scalar(database, 'PRAGMA user_version'));
  if (version > FORMAT_VERSION)
    throw new UnusableVault(
      `${file} has format ${version}; this Parley knows formats up to ${FORMAT_VERSION}. Start the Parley that wrote it, or a later one.`,
    );
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('secure_delete = ON');
  if (unused)
    database.exec(`BEGIN IMMEDIATE; ${SCHEMA}
      PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION}; COMMIT`);
  else database.exec('BEGIN IMMEDIATE; ROLLBACK');
  // Every page: a vault is small (a hundred thousand people: some 10 MB, 30 ms) and nothing can replace a lost key.
  const verdict = scalar(database, 'PRAGMA quick_check(1)');
  if (verdict !== 'ok')
    throw new UnusableVault(`${file} is damaged (${verdict}). Put back the whole data directory from a backup.`);
};

/**
 * Opens the vault's file, making it (mode 0600) when it does not exist.
 * @throws UnusableVault
 */
export const openVaultFile = (directory: string): Database.Database => {
  const file = join(directory, VAULT_FILE);
  let database: Database.Database | undefined;
  try {
    // The superuser may write to anything; a file without any write permission was still meant to be left alone.
    if (existsSync(file) && (statSync(file).mode & 0o222) === 0)
      throw new UnusableVault(`${file} is marked read-only. Give its owner write permission.`);
    if (existsSync(file) ? statSync(file).size === 0 : existsSync(`${file}-wal`))
      throw new UnusableVault(
        `${file} is empty or gone. Put back the whole data directory from a backup. (If the very first start was cut off, remove what is left of it.)`,
      );
    // Made before SQLite would, whose files everybody may read; the files beside it inherit the mode.
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
    database = new Database(file);
    prepare(file, database);
    return database;
  } catch (error) {
    database?.close();
    throw explained(file, error);
  }
};
