/** Lets one process at a time write to a data directory. */

import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import Database from 'libsql';
import { reasonOf } from '../guard.ts';

const LOCK_FILE = 'parley.lock';
const HOLDER_FILE = 'parley.pid';

export class DirectoryInUse extends Error {
  /** Process id of the holder, if it could be read. */
  readonly pid: number | undefined;

  constructor(directory: string, pid: number | undefined) {
    const who = pid === undefined ? 'another process' : `process ${pid}`;
    super(
      `The data directory ${directory} is in use by ${who}. Stop that one first, or set PARLEY_DATA to another directory.`,
    );
    this.name = 'DirectoryInUse';
    this.pid = pid;
  }
}

/** The data directory cannot be used at all; the message says why and what to do. */
export class UnusableDirectory extends Error {
  constructor(directory: string, why: string, cause?: unknown) {
    super(`PARLEY_DATA: ${directory} ${why}`, { cause });
    this.name = 'UnusableDirectory';
  }
}

/**
 * Creates the directory unless it is there. Its parent must be: a wrong path, or a disk that is not mounted, would
 * otherwise become an empty server.
 * @throws UnusableDirectory
 */
const prepareDirectory = (directory: string): void => {
  try {
    if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 });
    if (!statSync(directory).isDirectory()) throw new UnusableDirectory(directory, 'is a file; a folder is needed.');
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof UnusableDirectory) throw error;
    const { code } = error as { code?: unknown };
    const parent = dirname(resolve(directory));
    if (code === 'ENOENT' && !existsSync(parent))
      throw new UnusableDirectory(
        directory,
        `cannot be created: there is no folder ${parent}. Create that one first, or correct the path.`,
        error,
      );
    if (code === 'ENOTDIR') throw new UnusableDirectory(directory, 'leads through a file. Correct the path.', error);
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
      throw new UnusableDirectory(
        directory,
        'cannot be written to: check its owner, its permissions and how its disk is mounted.',
        error,
      );
    if (code === 'ENOSPC') throw new UnusableDirectory(directory, 'cannot be created: the disk is full.', error);
    throw new UnusableDirectory(directory, `cannot be used: ${reasonOf(error)}.`, error);
  }
};

export interface DirectoryLock {
  /** The locked file. */
  readonly path: string;
  release(): void;
}

const holder = (file: string): number | undefined => {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return Number.isInteger(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
};

/** Notes who holds the lock, for the refusal of others. On a full disk nobody is named. */
const note = (pidFile: string): void => {
  try {
    writeFileSync(pidFile, `${process.pid}\n`);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOSPC') throw error;
  }
};

/**
 * Locks the directory for this process. The lock is SQLite's own, on a file that stays empty, so the operating system
 * frees it when the process ends, however it ends. The process id is in a separate file: opening and closing the locked
 * file itself would drop the lock.
 * @throws DirectoryInUse when another process, or another log in this one, holds it; UnusableDirectory
 */
export const lockDirectory = (directory: string): DirectoryLock => {
  prepareDirectory(directory);
  const pidFile = join(directory, HOLDER_FILE);
  const path = join(directory, LOCK_FILE);
  const database = new Database(path);
  try {
    // Otherwise the lock needs a journal on the disk, which may be full.
    database.pragma('journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { code?: string }).code === 'SQLITE_BUSY') throw new DirectoryInUse(directory, holder(pidFile));
    throw error;
  }
  note(pidFile);
  let held = true;
  return {
    path,
    release() {
      if (!held) return;
      held = false;
      if (holder(pidFile) === process.pid) rmSync(pidFile, { force: true });
      database.exec('ROLLBACK');
      database.close();
    },
  };
};
