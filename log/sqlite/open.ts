/** Opening log.db, with a clear error if something is wrong with it. */

import { randomUUID } from 'node:crypto';
import { accessSync, closeSync, constants, existsSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'libsql';
import { reasonOf } from '../../stores/guard.ts';
import { checkFiles } from '../../stores/sqlite/data-files.ts';
import { ownerOnly } from '../../stores/sqlite/owner-only.ts';
import { hasJournal, isInUse } from './notes.ts';
import { APPLICATION_ID, FORMAT_VERSION, LOG_FILE, SCHEMA, upgrade } from './schema.ts';

export type LogTrouble = 'not-ours' | 'damaged' | 'read-only' | 'newer' | 'missing' | 'journal-lost';

/** The one way to go on although something is lost. */
export const withoutTheRest = (directory: string): string =>
  `To go on without what is lost: parley restore ${directory} --accept-loss`;

const advice: Record<LogTrouble, string> = {
  'not-ours': 'Parley leaves it alone: move it elsewhere, or set PARLEY_DATA to another folder.',
  damaged: 'Nothing was changed. Put back the whole data folder from a backup.',
  'read-only': 'Parley must be able to write to it: check its owner, its permissions and how its disk is mounted.',
  newer: 'Start the Parley that wrote it, or a later one.',
  missing: 'Check PARLEY_DATA: a data folder has a log after the first `parley serve`.',
  'journal-lost': 'Put that journal back, or the whole data folder from a backup.',
};

/** The log cannot be opened; the message says what is wrong and what to do. */
export class UnusableLog extends Error {
  readonly trouble: LogTrouble;

  constructor(trouble: LogTrouble, what: string, cause?: unknown, more = '') {
    super(`${what} ${advice[trouble]}${more}`, { cause });
    this.name = 'UnusableLog';
    this.trouble = trouble;
  }
}

const scalar = (database: Database.Database, sql: string): number | string | undefined =>
  (database.prepare(sql).raw(true).get() as [number | string] | undefined)?.[0];

/** Turns SQLite's error about a file into one that an operator can act on. */
const explained = (file: string, error: unknown): unknown => {
  if (error instanceof UnusableLog) return error;
  const code = String((error as { code?: unknown }).code ?? '');
  if (code.startsWith('SQLITE_NOTADB')) return new UnusableLog('not-ours', `${file} is not a Parley log.`, error);
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_IOERR_SHORT_READ' || code === 'SQLITE_IOERR_READ')
    return new UnusableLog('damaged', `${file} is damaged or cut short (${reasonOf(error)}).`, error);
  if (code.startsWith('SQLITE_READONLY')) return new UnusableLog('read-only', `${file} cannot be written to.`, error);
  if (reasonOf(error).startsWith('ConnectionFailed'))
    return new UnusableLog('read-only', `${file} cannot be opened (${reasonOf(error)}).`, error);
  return new Error(`${file} cannot be used: ${reasonOf(error)}.`, { cause: error });
};

/** Number of pages that the file's header promises beyond the end of the file. */
const missingPages = (file: string): number => {
  const header = Buffer.alloc(100);
  const descriptor = openSync(file, 'r');
  try {
    if (readSync(descriptor, header, 0, 100, 0) < 100) return 1;
  } finally {
    closeSync(descriptor);
  }
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  return header.readUInt32BE(28) - Math.floor(statSync(file).size / pageSize);
};

const isEmpty = (file: string): boolean => !existsSync(file) || statSync(file).size === 0;

const checkWritable = (path: string): void => {
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new UnusableLog('read-only', `${path} cannot be written to.`, error);
  }
  // The superuser may write to any file, but one without any write permission is meant to be left alone.
  if ((statSync(path).mode & 0o222) === 0) throw new UnusableLog('read-only', `${path} is marked read-only.`);
};

/** Otherwise SQLite would silently start a new file and discard the journal's contents. */
const checkNotLost = (file: string): void => {
  if (existsSync(file) && isEmpty(file))
    throw new UnusableLog('damaged', `${file} is empty. (If the very first start was cut off, remove it.)`);
  if (!existsSync(file) && !isEmpty(`${file}-wal`))
    throw new UnusableLog('damaged', `${file} is gone while its journal ${file}-wal is still there.`);
};

const checkIdentity = (file: string, database: Database.Database): void => {
  if (scalar(database, 'PRAGMA application_id') !== APPLICATION_ID)
    throw new UnusableLog('not-ours', `${file} is an SQLite database of some other program.`);
  const version = Number(scalar(database, 'PRAGMA user_version'));
  if (version > FORMAT_VERSION)
    throw new UnusableLog('newer', `${file} has format ${version}; this Parley knows formats up to ${FORMAT_VERSION}.`);
};

/** Reads the newest event through both indexes; the pages written last are the likeliest to be missing. */
const checkTail = (database: Database.Database): void => {
  const last = database
    .prepare('SELECT position, stream, length(CAST(data AS BLOB)) FROM events ORDER BY position DESC LIMIT 1')
    .raw(true);
  const row = last.get() as [number, number, number] | undefined;
  if (row === undefined) return;
  const byStream = database.prepare('SELECT position FROM events WHERE stream = ? ORDER BY sequence DESC LIMIT 1');
  const name = database.prepare('SELECT 1 FROM streams WHERE id = ?').raw(true).get([row[1]]);
  const found = byStream.raw(true).get([row[1]]) as [number] | undefined;
  if (found?.[0] !== row[0] || name === undefined) throw new Error('the newest event is not in its stream');
};

/** Checks every page. Takes minutes for a very large log, so only runs on a suspicion. */
const checkEverything = (file: string, database: Database.Database, suspicion: string): void => {
  const verdict = String(scalar(database, 'PRAGMA integrity_check(1)'));
  // The first line of a longer finding only names the database.
  const finding = verdict.split('\n').at(-1);
  if (verdict !== 'ok') throw new UnusableLog('damaged', `${file} is damaged (${suspicion}; ${finding}).`);
};

/** @throws UnusableLog when the newest events were in a journal that is no longer there */
const checkJournal = (file: string, database: Database.Database, journal: boolean): void => {
  if (!journal && isInUse(database))
    throw new UnusableLog(
      'journal-lost',
      `${file} was in use when it was last written to, and the newest events were in its journal ${file}-wal, which is gone or emptied.`,
      undefined,
      ` ${withoutTheRest(dirname(file))}`,
    );
};

const create = (database: Database.Database): void => {
  database.exec(`BEGIN IMMEDIATE; ${SCHEMA}
    INSERT INTO meta VALUES ('epoch', '${randomUUID()}');
    PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION}; COMMIT`);
};

interface Found {
  /** The file is shorter than its header says. */
  readonly short: boolean;
  readonly journal: boolean;
}

const prepareForWriting = (file: string, database: Database.Database, found: Found, acceptLoss: boolean): void => {
  const unused =
    scalar(database, 'PRAGMA application_id') === 0 && scalar(database, 'SELECT count(*) FROM sqlite_master') === 0;
  if (!unused) checkIdentity(file, database);
  if (!unused && !acceptLoss) checkJournal(file, database, found.journal);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  if (unused) create(database);
  else database.exec('BEGIN IMMEDIATE; ROLLBACK');
  if (found.short) checkEverything(file, database, 'it is shorter than its header says');
  try {
    checkTail(database);
  } catch (error) {
    checkEverything(file, database, reasonOf(error));
    throw new UnusableLog('damaged', `${file} is damaged (${reasonOf(error)}).`, error);
  }
  upgrade(database);
};

/**
 * Opens the log's file for its only writer, creating it if there is none.
 * @param acceptLoss goes on without a lost journal
 * @throws UnusableLog
 */
export const openForWriting = (directory: string, acceptLoss = false): Database.Database => {
  const file = join(directory, LOG_FILE);
  checkWritable(directory);
  if (existsSync(file)) checkWritable(file);
  checkNotLost(file);
  // A crash during a checkpoint looks like a truncated file too, but all its pages are in the journal.
  const found = { short: existsSync(file) && missingPages(file) > 0, journal: hasJournal(file) };
  let database: Database.Database | undefined;
  try {
    database = new Database(file);
    prepareForWriting(file, database, found, acceptLoss);
    ownerOnly(file);
    return database;
  } catch (error) {
    database?.close();
    throw explained(file, error);
  }
};

const openReadOnly = (file: string, more = ''): Database.Database => {
  const database = new Database(`${pathToFileURL(file).href}?mode=ro${more}`);
  try {
    checkIdentity(file, database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
};

/**
 * Opens the log's file for reading only, with or without a writer.
 * @throws UnusableLog, UnusableDirectory
 */
export const openForReading = (directory: string): Database.Database => {
  const file = join(directory, LOG_FILE);
  checkFiles(directory, 'PARLEY_DATA');
  if (!existsSync(file)) throw new UnusableLog('missing', `There is no log at ${file}.`);
  checkNotLost(file);
  try {
    return openReadOnly(file);
  } catch (error) {
    // On a read-only disk SQLite cannot create its shared memory file. Nobody can write there, so it needs none.
    const unshared = (error as { code?: unknown }).code === 'SQLITE_CANTOPEN' && isEmpty(`${file}-wal`);
    if (!unshared) throw explained(file, error);
    return openReadOnly(file, '&immutable=1');
  }
};
