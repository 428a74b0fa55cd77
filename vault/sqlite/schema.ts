/** Layout of vault.db. */

export const VAULT_FILE = 'vault.db';

/** `PRLV`: tells our files from other SQLite databases. */
export const APPLICATION_ID = 0x50524c56;

/** Raised when the layout changes; a file of a higher number belongs to a newer Parley. */
export const FORMAT_VERSION = 1;

export const SCHEMA = `
  CREATE TABLE usernames (name TEXT PRIMARY KEY, user_id TEXT NOT NULL, confirmed INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE passwords (user_id TEXT PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE token_secrets (user_id TEXT PRIMARY KEY, hash BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE keys (user_id TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE remembered (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL, position INTEGER NOT NULL);
`;
