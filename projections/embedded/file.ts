/**
 * The views file: opened, closed, judged.
 * It can be made anew from the log, so it is written without a single fsync while it is in use: a killed process loses
 * nothing (the page cache stays), a crashed machine may. Therefore opening and closing are marked durably, and a file
 * left open by another boot is not trusted.
 */

import { createHash } from 'node:crypto';
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
import { v4 as uuid } from 'uuid';
import { type Connection, command, connect, query } from '../../stores/sqlite/statements.ts';
import { sqlViewNames, sqlViews } from '../views/sql-views.ts';
import { timelineTables } from '../views/timelines/sqlite/writer.ts';
import { unreadTables } from '../views/unread/sqlite.ts';

/**
 * Names the present boot of the machine. Where the system does not tell, every process counts as a boot, so that a file
 * which was not closed is rebuilt rather than trusted.
 */
export const bootId = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return uuid();
  }
};

// Everything in the views file.

/** One row: what the file was made of, how far it has got, and in which boot of the machine it was last opened. */
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

/** Raised when the rows of some view come to mean something else. */
const MEANING = 5;

/** Changes with every table and with `MEANING`: a file of another version is rebuilt from the log. */
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

/** Stores a mark so that it is on the disk before anything written after it. */
const markDurably = (db: Connection, mark: () => void): void => {
  db.exec('PRAGMA synchronous = FULL');
  mark();
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.exec('PRAGMA synchronous = OFF');
};

/** Empty tables. Nobody reads a file while it is built and a crash throws it away, so it keeps no journal on the disk. */
export const createFile = (file: string, epoch: string, boot: string, processesThrough: number): Connection => {
  const db = connect(file);
  db.exec(`PRAGMA page_size = ${PAGE_SIZE}`);
  journal(db, 'MEMORY');
  configure(db);
  db.exec(allTables);
  command(db, 'INSERT INTO views (version, epoch, boot, closed, checkpoint, processes) VALUES (?, ?, ?, 0, 0, ?)')(
    VIEWS_VERSION,
    epoch,
    boot,
    processesThrough,
  );
  return db;
};

/**
 * The driver keeps a closed connection until its statements are collected. Outside of WAL it then holds neither locks nor
 * side files, so that the next one is alone.
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

/** Puts the newly built file in the place of the former one. A crash on the way leaves either no file or a whole one. */
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

const isWhole = (file: string, db: Connection): boolean => {
  // What the write-ahead log still holds is not yet in the file.
  if (existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0) return true;
  const [pages] = query<[number]>(db, 'SELECT page_count FROM pragma_page_count').get()!;
  return statSync(file).size >= pages * PAGE_SIZE;
};

const flawOf = ([version, epoch, lastBoot, closed, checkpoint]: State, log: ExpectedLog, boot: string) => {
  if (epoch !== log.epoch) return 'it belongs to another log';
  if (checkpoint > log.head) return 'it is ahead of the log';
  if (version !== VIEWS_VERSION) return 'it is of another version';
  if (closed === 0 && lastBoot !== boot) return 'the machine stopped while it was in use';
  return undefined;
};

interface ExpectedLog {
  readonly epoch: string;
  readonly head: number;
}

/** The file ready for use, or why it has to be rebuilt and how far the processes had got in this log as far as it tells. */
type Opened =
  | { readonly db: Connection }
  | { readonly db: undefined; readonly reason: string; readonly processesThrough: number };

export const openFile = (file: string, log: ExpectedLog, boot: string): Opened => {
  const unusable = (reason: string, processesThrough = 0): Opened => ({ db: undefined, reason, processesThrough });
  if (!existsSync(file)) return unusable('there is none');
  if (existsSync(damagedFile(file))) return unusable('it is damaged');
  const db = connect(file);
  try {
    const state = query<State>(db, 'SELECT version, epoch, boot, closed, checkpoint, processes FROM views').get();
    if (state === undefined || !isWhole(file, db)) throw new Error('Not a whole views file');
    const flaw = flawOf(state, log, boot);
    if (flaw === undefined) {
      journal(db, 'WAL');
      configure(db);
      markDurably(db, () => command(db, 'UPDATE views SET closed = 0, boot = ?')(boot));
      return { db };
    }
    db.close();
    return unusable(flaw, state[1] === log.epoch ? Math.min(state[5], log.head) : 0);
  } catch {
    db.close();
    return unusable('it is damaged');
  }
};
