/**
 * Opens, closes and checks the views file. It can be rebuilt from the log, so it is written without any fsync while in
 * use. A killed process loses nothing, because the page cache survives; a crashed machine may lose data. So opening and
 * closing are recorded durably, and a file left open by an earlier boot is not trusted. The driver ends the process when it
 * meets damaged text, so a file that was left open twice in succession is checked before anything in it is read.
 */

import { isUtf8 } from 'node:buffer';
import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { classify } from '../../stores/sqlite/failures.ts';
import { ownerOnly } from '../../stores/sqlite/owner-only.ts';
import { type Connection, command, connect, query } from '../../stores/sqlite/statements.ts';
import { sqlViewNames, sqlViews } from '../views/sql-views.ts';
import { timelineTables } from '../views/timelines/sqlite/writer.ts';
import { unreadTables } from '../views/unread/sqlite.ts';

/**
 * Identifies the current boot of the machine. If the system does not report one, every process counts as a boot, so a
 * file that was not closed is rebuilt.
 */
export const bootId = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return randomUUID();
  }
};

// Tables of the views file.

/**
 * One row: what the file was built from, its checkpoint, and the boot in which it was last opened. `closed` is 1 for a
 * closed file, 0 for one in use, and one less for each time that it was opened again without having been closed.
 */
const views = `
CREATE TABLE views (
  version INTEGER NOT NULL,
  epoch TEXT NOT NULL,
  boot TEXT NOT NULL,
  closed INTEGER NOT NULL,
  checkpoint INTEGER NOT NULL,
  processes INTEGER NOT NULL
);
`;

const deadLetters = `
CREATE TABLE dead_letters (
  projection TEXT NOT NULL,
  stream TEXT NOT NULL,
  position INTEGER NOT NULL,
  error TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  PRIMARY KEY (projection, stream)
) WITHOUT ROWID;
`;

const viewTables = sqlViewNames.map((name) => sqlViews[name].tables);
const allTables = [views, deadLetters, timelineTables, unreadTables, ...viewTables].join('');

/** Raise this when the meaning of a view's rows changes. */
const MEANING = 6;

/** Changes with every table and with `MEANING`. A file of another version is rebuilt from the log. */
export const VIEWS_VERSION = Number.parseInt(
  createHash('sha256').update(`${MEANING}${allTables}`).digest('hex').slice(0, 12),
  16,
);

const PAGE_SIZE = 8192;
const CACHE_KIB = 65_536;

export const buildingFile = (file: string) => `${file}.building`;
const damagedFile = (file: string) => `${file}.damaged`;

const synced = (path: string): void => {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};

const journal = (db: Connection, mode: 'WAL' | 'DELETE' | 'MEMORY'): void => {
  db.exec(`PRAGMA journal_mode = ${mode}`);
};

const configure = (db: Connection): void => {
  db.exec('PRAGMA synchronous = OFF');
  db.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
  db.exec('PRAGMA temp_store = MEMORY');
};

/** Stores a mark so that it is on disk before anything written after it. */
const markDurably = (db: Connection, mark: () => void): void => {
  db.exec('PRAGMA synchronous = FULL');
  mark();
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.exec('PRAGMA synchronous = OFF');
};

/**
 * Creates empty tables. Nobody reads a file during its build and a crash discards it, so it needs no journal on disk.
 */
export const createFile = (file: string, epoch: string, boot: string, processesThrough: number): Connection => {
  const db = connect(file);
  db.exec(`PRAGMA page_size = ${PAGE_SIZE}`);
  journal(db, 'MEMORY');
  configure(db);
  db.exec(allTables);
  ownerOnly(file);
  command(db, 'INSERT INTO views (version, epoch, boot, closed, checkpoint, processes) VALUES (?, ?, ?, 0, 0, ?)')(
    VIEWS_VERSION,
    epoch,
    boot,
    processesThrough,
  );
  return db;
};

/**
 * Marks the file as in use in this boot. Must succeed before the first write, and may be repeated.
 * @param closed as `openFile` gave it
 * @throws SQLite's error when the disk has no room even for that
 */
export const takeIntoUse = (db: Connection, boot: string, closed: number): void => {
  journal(db, 'WAL');
  markDurably(db, () => command(db, 'UPDATE views SET closed = ?, boot = ?')(closed, boot));
};

/**
 * Keeps a closed file although its log gets a new epoch: what it followed is the beginning of the log under either.
 * Does nothing to a file that is of another log, or ahead of this one.
 */
export const keepForEpoch = (file: string, former: string, epoch: string, head: number): void => {
  if (!existsSync(file)) return;
  const db = connect(file);
  try {
    command(db, 'UPDATE views SET epoch = ? WHERE epoch = ? AND checkpoint <= ?')(epoch, former, head);
  } catch {
    // Whatever is wrong with it, opening the views finds out and rebuilds them.
  } finally {
    db.close();
  }
};

/**
 * The driver keeps a closed connection until its statements are garbage collected. Outside WAL mode it then holds
 * neither locks nor side files, so the next connection has the file to itself.
 */
export const closeFile = (file: string, db: Connection): void => {
  journal(db, 'DELETE');
  synced(file);
  markDurably(db, () => command(db, 'UPDATE views SET closed = 1')());
  db.close();
};

export const removeFile = (file: string): void => {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
};

/** Replaces the old file with the new one. A crash on the way leaves either no file or a complete one. */
export const swapIn = (file: string): void => {
  removeFile(file);
  renameSync(buildingFile(file), file);
  rmSync(damagedFile(file), { force: true });
  synced(dirname(file));
};

export const condemnFile = (file: string): void => writeFileSync(damagedFile(file), '');

type State = readonly [
  version: number,
  epoch: string,
  boot: string,
  closed: number,
  checkpoint: number,
  processes: number,
];

/** Text as hexadecimal digits, whatever its bytes are. */
const stateOf = (db: Connection): State => {
  const columns = query<State>(db, 'SELECT version, hex(epoch), hex(boot), closed, checkpoint, processes FROM views');
  const found = columns.get();
  if (found === undefined) throw new Error('Not a views file');
  const [version, epoch, boot, ...others] = found;
  return [version, textOfHex(epoch), textOfHex(boot), ...others];
};

/** Text that was selected as `hex(...)`, because the driver ends the process when text is not UTF-8. */
export const textOfHex = (hex: string): string => Buffer.from(hex, 'hex').toString('utf8');

/** Checks every page, and that all text is UTF-8: some seconds for a million messages. */
const isSound = (db: Connection): boolean => {
  if (query<[string]>(db, 'PRAGMA quick_check(1)').get()?.[0] !== 'ok') return false;
  const texts = query<[table: string, text: string]>(
    db,
    `SELECT t.name, group_concat('coalesce("' || c.name || '", '''')', ' || char(10) || ')
     FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND c.type = 'TEXT' GROUP BY t.name`,
  ).all();
  for (const [table, text] of texts) {
    const rows = db.prepare(`SELECT CAST(${text} AS BLOB) FROM ${table}`).raw(true).iterate([]);
    for (const [bytes] of rows as Iterable<[Buffer]>) if (!isUtf8(bytes)) return false;
  }
  return true;
};

const isWhole = (file: string, db: Connection): boolean => {
  // The file does not yet contain what is in the write-ahead log.
  if (existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0) return true;
  const [pages] = query<[number]>(db, 'SELECT page_count FROM pragma_page_count').get()!;
  return statSync(file).size >= pages * PAGE_SIZE;
};

const flawOf = ([version, epoch, lastBoot, closed, checkpoint]: State, log: ExpectedLog, boot: string) => {
  if (epoch !== log.epoch) return 'it belongs to another log';
  if (checkpoint > log.head) return 'it is ahead of the log';
  if (version !== VIEWS_VERSION) return 'it is of another version';
  if (closed <= 0 && lastBoot !== boot) return 'the machine stopped while it was in use';
  return undefined;
};

interface ExpectedLog {
  readonly epoch: string;
  readonly head: number;
}

/** A file that must be taken into use, with that `closed`, before it is written to. */
export interface Usable {
  readonly db: Connection;
  readonly closed: number;
}
/** Why the file must be rebuilt, and the processes' progress in this log, if the file knows it. */
export interface Unusable {
  readonly db: undefined;
  readonly reason: string;
  readonly processesThrough: number;
}

export const openFile = (file: string, log: ExpectedLog, boot: string): Usable | Unusable => {
  const unusable = (reason: string, processesThrough = 0): Unusable => ({ db: undefined, reason, processesThrough });
  if (!existsSync(file)) return unusable('there is none');
  if (existsSync(damagedFile(file))) return unusable('it is damaged');
  const db = connect(file);
  try {
    const state = stateOf(db);
    if (!isWhole(file, db)) throw new Error('Not a whole views file');
    const lastClosed = state[3];
    const isChecked = lastClosed < 0;
    const flaw = flawOf(state, log, boot) ?? (isChecked && !isSound(db) ? 'it is damaged' : undefined);
    if (flaw === undefined) {
      configure(db);
      ownerOnly(file);
      return { db, closed: isChecked ? 0 : lastClosed - 1 };
    }
    db.close();
    return unusable(flaw, state[1] === log.epoch ? Math.min(state[5], log.head) : 0);
  } catch (failure) {
    db.close();
    // A disk without room for SQLite's own files says nothing about this one.
    if (classify(failure) === 'transient') throw failure;
    return unusable('it is damaged');
  }
};
