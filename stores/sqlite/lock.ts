/** Lets one process at a time write to a data folder. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { makeDirectory, UnusableDirectory } from '../directory.ts';
import { reasonOf } from '../guard.ts';
import { checkFiles } from './data-files.ts';

const LOCK_FILE = 'parley.lock';
const HOLDER_FILE = 'parley.pid';

export class DirectoryInUse extends Error {
  /** Process id of the holder, if it could be read. */
  readonly pid: number | undefined;

  constructor(directory: string, pid: number | undefined) {
    const who = pid === undefined ? 'another process' : `process ${pid}`;
    super(
      `The data folder ${directory} is in use by ${who}. Stop that one first, or set PARLEY_DATA to another folder.`,
    );
    this.name = 'DirectoryInUse';
    this.pid = pid;
  }
}

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

const openedLock = (directory: string, path: string): Database.Database => {
  try {
    return new Database(path);
  } catch (error) {
    const why = `cannot be locked (${reasonOf(error)}): check the owner and the permissions of its ${LOCK_FILE}.`;
    throw new UnusableDirectory(`PARLEY_DATA: ${directory}`, why, error);
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
  makeDirectory(directory, 'PARLEY_DATA');
  checkFiles(directory, 'PARLEY_DATA');
  const pidFile = join(directory, HOLDER_FILE);
  const path = join(directory, LOCK_FILE);
  const database = openedLock(directory, path);
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
