/** Opening vault.db, with a clear error if something is wrong with it. */

import { isUtf8 } from 'node:buffer';
import { randomBytes, randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { reasonOf } from '../../stores/guard.ts';
import { renamings } from '../passwords.ts';
import { ACCOUNT_TABLES } from './accounts.ts';

/** Layout of vault.db. */
export const VAULT_FILE = 'vault.db';

/** `PRLV`: distinguishes our files from other SQLite databases. */
const APPLICATION_ID = 0x50524c56;

/** Raised when the layout changes; a file with a higher number belongs to a newer Parley. */
const FORMAT_VERSION = 2;

const SCHEMA = `
  CREATE TABLE usernames (name TEXT PRIMARY KEY, user_id TEXT NOT NULL, confirmed INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE passwords (user_id TEXT PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE token_secrets (user_id TEXT PRIMARY KEY, hash BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE keys (user_id TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE remembered (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL, position INTEGER NOT NULL);
`;

/** What the vault notes about itself and about the log beside it. Vaults from before get the table when they are opened. */
const NOTES = `
  CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  INSERT OR IGNORE INTO notes VALUES ('revision', '0');
`;

/** The vault cannot be opened; the message says what is wrong and what to do. */
export class UnusableVault extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'UnusableVault';
  }
}

/** The signing secret is a separate file, so removing that file replaces it, which ends every token. */
export const SIGNING_KEY_FILE = 'signing.key';
const FORM = /^[0-9a-f]{64}\n?$/;

const fsyncPath = (path: string): void => {
  const descriptor = openSync(path, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
};

/** Writes a complete draft and then renames it, so a crash leaves either no file or a good one. */
const write = (directory: string, file: string, secret: Buffer, put: (draft: string, file: string) => void): void => {
  const draft = `${file}.${process.pid}`;
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeSync(descriptor, `${secret.toString('hex')}\n`);
    fsyncSync(descriptor);
    put(draft, file);
  } finally {
    closeSync(descriptor);
    rmSync(draft, { force: true });
  }
  fsyncPath(directory);
};

/**
 * Reads the secret, and creates it on the first start.
 * @throws UnusableVault when others may read the file or it does not hold a secret
 */
export const readSigningSecret = (directory: string): Buffer => {
  const file = join(directory, SIGNING_KEY_FILE);
  if (!existsSync(file)) write(directory, file, randomBytes(32), linkSync);
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) !== 0)
    throw new UnusableVault(
      `${file} may be read by others (mode ${mode.toString(8)}): whoever read it can sign in as anybody. ` +
        'Remove it if somebody may have (everybody signs in again), or run `chmod 600` on it.',
    );
  const text = readFileSync(file, 'latin1');
  if (!FORM.test(text))
    throw new UnusableVault(
      `${file} is damaged: it must hold 64 hexadecimal digits. Put it back from a backup, or remove it: ` +
        'a new one is made and everybody signs in again.',
    );
  return Buffer.from(text.trim(), 'hex');
};

/** Replaces the secret, which ends every token signed with the old one. */
export const replaceSigningSecret = (directory: string, secret: Buffer): void =>
  write(directory, join(directory, SIGNING_KEY_FILE), secret, renameSync);

const scalar = (database: Database.Database, sql: string): unknown =>
  (database.prepare(sql).raw(true).get() as [unknown] | undefined)?.[0];

const explained = (file: string, error: unknown): unknown => {
  if (error instanceof UnusableVault) return error;
  const reason = reasonOf(error);
  const code = String((error as { code?: unknown }).code ?? '');
  if (code.startsWith('SQLITE_NOTADB'))
    return new UnusableVault(`${file} is not a Parley vault. Move it elsewhere, or set PARLEY_DATA to another folder.`);
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_IOERR_SHORT_READ')
    return new UnusableVault(
      `${file} is damaged or cut short (${reason}). Nothing was changed. Put back the whole data folder from a backup.`,
      error,
    );
  if (code.startsWith('SQLITE_READONLY') || code.startsWith('EACCES') || code.startsWith('EROFS'))
    return new UnusableVault(
      `${file} cannot be written to. Check its owner, its permissions and how its disk is mounted.`,
      error,
    );
  return new UnusableVault(`${file} cannot be used: ${reason}.`, error);
};

/** From format 1 to 2: names get the key that has no invisible characters. */
const renameUsernames = (database: Database.Database): void => {
  const names = database.prepare('SELECT name FROM usernames ORDER BY name').raw(true).all([]) as [string][];
  const rename = database.prepare('UPDATE usernames SET name = ? WHERE name = ?');
  database.exec('BEGIN IMMEDIATE');
  for (const [from, to] of renamings(names.map(([name]) => name))) rename.run([to, from]);
  database.exec('PRAGMA user_version = 2; COMMIT');
};

/** Every column of text. */
const TEXTS = {
  usernames: "name || ' ' || user_id",
  passwords: "user_id || ' ' || hash",
  token_secrets: 'user_id',
  keys: 'user_id',
  sign_ins: "id || ' ' || user_id || ' ' || device",
  codes: "id || ' ' || kind || ' ' || coalesce(user_id, '') || ' ' || made_by",
  code_uses: "id || ' ' || used_by",
};

/** The driver ends the process when text that it reads is damaged, so all of it is read once as bytes. */
const checkText = (file: string, database: Database.Database): void => {
  for (const [table, text] of Object.entries(TEXTS)) {
    const bytes = scalar(database, `SELECT CAST(group_concat(${text}) AS BLOB) FROM ${table}`) as Buffer | null;
    if (bytes !== null && !isUtf8(bytes))
      throw new UnusableVault(
        `${file} is damaged (text in ${table} is not UTF-8). Put back the whole data folder from a backup.`,
      );
  }
};

const prepare = (file: string, database: Database.Database): void => {
  const application = scalar(database, 'PRAGMA application_id');
  const unused = application === 0 && scalar(database, 'SELECT count(*) FROM sqlite_master') === 0;
  if (!unused && application !== APPLICATION_ID)
    throw new UnusableVault(
      `${file} is an SQLite database of some other program. Move it elsewhere, or set PARLEY_DATA to another folder.`,
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
  // Checks every page: a vault is small (10 MB and 30 ms for 100,000 people) and a lost key cannot be replaced.
  const verdict = scalar(database, 'PRAGMA quick_check(1)');
  if (verdict !== 'ok')
    throw new UnusableVault(`${file} is damaged (${verdict}). Put back the whole data folder from a backup.`);
  database.exec(`BEGIN IMMEDIATE; ${ACCOUNT_TABLES} COMMIT`);
  checkText(file, database);
  if (scalar(database, "SELECT count(*) FROM sqlite_master WHERE name = 'notes'") === 0)
    database.exec(`BEGIN IMMEDIATE; ${NOTES} INSERT INTO notes VALUES ('id', '${randomUUID()}'); COMMIT`);
  if (!unused && version < 2) renameUsernames(database);
};

/**
 * Opens the vault's file, and creates it (mode 0600) if missing.
 * @throws UnusableVault
 */
export const openVaultFile = (directory: string): Database.Database => {
  const file = join(directory, VAULT_FILE);
  let database: Database.Database | undefined;
  try {
    // The superuser may write to any file, but one without any write permission is meant to be left alone.
    if (existsSync(file) && (statSync(file).mode & 0o222) === 0)
      throw new UnusableVault(`${file} is marked read-only. Give its owner write permission.`);
    if (existsSync(file) ? statSync(file).size === 0 : existsSync(`${file}-wal`))
      throw new UnusableVault(
        `${file} is empty or gone. Put back the whole data folder from a backup. (If the very first start was cut off, remove what is left of it.)`,
      );
    // Create it before SQLite does, whose files everyone may read. The files beside it inherit the mode.
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
