/**
 * The views file: opened, closed, judged.
 * It can be made anew from the log, so it is written without a single fsync while it is in use: a killed process loses
 * nothing (the page cache stays), a crashed machine may. Therefore opening and closing are marked durably, and a file
 * left open by another boot is not trusted.
 */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';
import { type Connection, command, query } from '../../sqlite/statements.ts';
import { allTables, VIEWS_VERSION } from './tables.ts';

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

const configure = (db: Connection): void => {
  db.exec(`PRAGMA page_size = ${PAGE_SIZE}`);
  db.exec('PRAGMA journal_mode = WAL');
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

export const createFile = (file: string, epoch: string, boot: string, processesThrough: number): Connection => {
  const db = new Database(file);
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

export const openFile = (file: string, boot: string): Connection => {
  const db = new Database(file);
  configure(db);
  markDurably(db, () => command(db, 'UPDATE views SET closed = 0, boot = ?')(boot));
  return db;
};

export const closeFile = (file: string, db: Connection): void => {
  db.pragma('wal_checkpoint(TRUNCATE)');
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

export interface Judgement {
  /** Why the file cannot be used; `undefined` when it can. */
  readonly reason: string | undefined;
  /** Progress of the processes, as far as the file can tell it for this log. */
  readonly processesThrough: number;
}

type State = readonly [
  version: number,
  epoch: string,
  boot: string,
  closed: number,
  checkpoint: number,
  processes: number,
];

const stateOf = (file: string): State | undefined => {
  const db = new Database(file);
  try {
    const state = query<State>(db, 'SELECT version, epoch, boot, closed, checkpoint, processes FROM views').get();
    const pages = query<[number]>(db, 'SELECT page_count FROM pragma_page_count').get()![0];
    // What the log of changes still holds is not yet in the file.
    const pending = existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0;
    return !pending && statSync(file).size < pages * PAGE_SIZE ? undefined : state;
  } finally {
    db.close();
  }
};

export const judgeFile = (file: string, log: { epoch: string; head: number }, boot: string): Judgement => {
  if (!existsSync(file)) return { reason: 'there is none', processesThrough: 0 };
  const unusable = (reason: string, processesThrough = 0): Judgement => ({ reason, processesThrough });
  if (existsSync(damagedFile(file))) return unusable('it is damaged');
  try {
    const state = stateOf(file);
    if (state === undefined) return unusable('it is damaged');
    const [version, epoch, lastBoot, closed, checkpoint, processes] = state;
    if (epoch !== log.epoch) return unusable('it belongs to another log');
    if (checkpoint > log.head) return unusable('it is ahead of the log');
    if (version !== VIEWS_VERSION) return unusable(`it is of version ${version}, not ${VIEWS_VERSION}`, processes);
    if (closed === 0 && lastBoot !== boot) return unusable('the machine stopped while it was in use');
    return { reason: undefined, processesThrough: processes };
  } catch {
    return unusable('it is damaged');
  }
};
