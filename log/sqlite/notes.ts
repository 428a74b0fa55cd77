/** What log.db notes about itself and about its vault, in the table `meta`. */

import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import type Database from 'libsql';

/** Which vault belongs to the log, and the least revision that it must have. */
export interface VaultNote {
  readonly id: string;
  readonly revision: number;
}

const noted = (database: Database.Database, name: string): string | undefined => {
  const row = database.prepare('SELECT CAST(value AS BLOB) FROM meta WHERE name = ?').raw(true).get([name]);
  return (row as [Buffer] | undefined)?.[0].toString('utf8');
};

const note = (database: Database.Database, name: string, value: string): void => {
  database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run([name, value]);
};

export const epochOf = (database: Database.Database): string => noted(database, 'epoch') ?? '';

/** The epoch before the last `renewEpoch`; undefined in a log that never got a new one. */
export const formerEpochOf = (database: Database.Database): string | undefined => noted(database, 'former-epoch');

export const vaultNoteOf = (database: Database.Database): VaultNote | undefined => {
  const id = noted(database, 'vault');
  return id === undefined ? undefined : { id, revision: Number(noted(database, 'vault-revision')) };
};

/** Runs in the caller's transaction. */
export const noteVault = (database: Database.Database, { id, revision }: VaultNote): void => {
  note(database, 'vault', id);
  note(database, 'vault-revision', String(revision));
};

/** Forgets the vault, which may be another one from now on. @returns the new epoch, once stored */
export const renewEpoch = (database: Database.Database): string => {
  const epoch = randomUUID();
  database.exec(`BEGIN IMMEDIATE;
    INSERT OR REPLACE INTO meta SELECT 'former-epoch', value FROM meta WHERE name = 'epoch';
    UPDATE meta SET value = '${epoch}' WHERE name = 'epoch';
    DELETE FROM meta WHERE name IN ('vault', 'vault-revision'); COMMIT`);
  return epoch;
};

// While a log is in use its newest events are only in the journal beside it. A mark in the file itself says so, because
// SQLite would silently go on without a lost journal.

const IN_USE = 'in-use';

/** @returns whether the mark is in the file itself; another process that reads may delay that */
export const markInUse = (database: Database.Database): boolean => {
  note(database, IN_USE, '1');
  const [busy, written, moved] = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').raw(true).get([]) as number[];
  return busy === 0 && written === moved;
};

export const isInUse = (database: Database.Database): boolean => noted(database, IN_USE) === '1';

/** To be followed by a checkpoint. */
export const clearInUse = (database: Database.Database): void => {
  if (isInUse(database)) note(database, IN_USE, '0');
};

/** The first four bytes of a journal, apart from the last bit. */
const JOURNAL_MAGIC = 0x377f0682;
const JOURNAL_HEADER_BYTES = 32;

/** Whether the journal is there. One without valid frames may be: it was about to begin anew when the process ended. */
export const hasJournal = (file: string): boolean => {
  const journal = `${file}-wal`;
  if (!existsSync(journal)) return false;
  const header = Buffer.alloc(JOURNAL_HEADER_BYTES);
  const descriptor = openSync(journal, 'r');
  try {
    const read = readSync(descriptor, header, 0, JOURNAL_HEADER_BYTES, 0);
    return read === JOURNAL_HEADER_BYTES && (header.readUInt32BE(0) & ~1) >>> 0 === JOURNAL_MAGIC;
  } finally {
    closeSync(descriptor);
  }
};
