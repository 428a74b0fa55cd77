/** `parley restore`: puts a backup in place of the data folder, or takes a folder that was put back as it is. */

import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { LOG_FILE } from '../../log/sqlite/schema.ts';
import type { Clock } from '../../schemas/clock.ts';
import { makeDirectory } from '../../stores/directory.ts';
import { checkFiles } from '../../stores/sqlite/data-files.ts';
import { DirectoryInUse } from '../../stores/sqlite/lock.ts';
import { SIGNING_KEY_FILE, VAULT_FILE } from '../../vault/sqlite/open.ts';
import { LOG_MISSING, UnfitFolder, VAULT_MISSING } from './fit.ts';
import { openFolder, VIEWS_FILE } from './folder.ts';

/** The log comes last and each journal before its file: what an interruption leaves is refused at the next start. */
const BACKED_UP = [SIGNING_KEY_FILE, `${VAULT_FILE}-wal`, VAULT_FILE, `${LOG_FILE}-wal`, LOG_FILE];

export interface RestoreOptions {
  /** The backup, which stays as it is, or the data folder itself. */
  readonly from: string;
  readonly data: string;
  /** Goes on although parts are missing, older or foreign. */
  readonly acceptLoss: boolean;
  readonly clock: Clock;
  readonly say: (line: string) => void;
}

export interface Restored {
  /** Position of the last event. */
  readonly head: number;
  readonly inPlace: boolean;
}

const isSame = (a: string, b: string): boolean => existsSync(b) && realpathSync(a) === realpathSync(b);

const copy = (from: string, to: string): void => {
  copyFileSync(from, to);
  chmodSync(to, 0o600);
  const descriptor = openSync(to, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};

/** @returns what takes away again all that was made in the data folder since */
const bring = ({ from, data, acceptLoss }: RestoreOptions): (() => void) => {
  const missing = [
    ...(existsSync(join(from, LOG_FILE)) ? [] : [LOG_MISSING]),
    ...(existsSync(join(from, VAULT_FILE)) ? [] : [VAULT_MISSING]),
  ];
  if (missing.length === 2) throw new Error(`there is no backup in ${from}: it must hold at least log.db and vault.db`);
  if (missing.length > 0 && !acceptLoss) throw new UnfitFolder(from, missing);
  const there = [...BACKED_UP, VIEWS_FILE].filter((name) => existsSync(join(data, name)));
  if (there.length > 0)
    throw new Error(
      `${data} (PARLEY_DATA) holds ${there.join(', ')}: move this folder away first, or set PARLEY_DATA to where the backup is to go`,
    );
  const isNew = makeDirectory(data, 'PARLEY_DATA');
  const before = readdirSync(data);
  const undo = () => {
    if (isNew) return rmSync(data, { recursive: true });
    for (const name of readdirSync(data)) if (!before.includes(name)) rmSync(join(data, name), { recursive: true });
  };
  try {
    for (const name of BACKED_UP) if (existsSync(join(from, name))) copy(join(from, name), join(data, name));
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
};

/**
 * The log gets a new epoch, so that sessions from after the backup do not resume into another history.
 * @throws UnfitFolder and whatever opening a folder throws
 */
export const restoreFolder = async (options: RestoreOptions): Promise<Restored> => {
  const { from, data, acceptLoss, clock, say } = options;
  if (!existsSync(from)) throw new Error(`there is no folder ${from}`);
  checkFiles(from);
  const inPlace = isSame(from, data);
  if (inPlace && !existsSync(join(data, LOG_FILE)) && !existsSync(join(data, VAULT_FILE)))
    throw new Error(`there is neither log.db nor vault.db in ${data}`);
  const undo = inPlace ? () => {} : bring(options);
  const folder = await openFolder({ directory: data, clock, acceptLoss, newEpoch: true, say }).catch(
    (error: unknown) => {
      // What is there now may belong to the one who uses it.
      if (!(error instanceof DirectoryInUse)) undo();
      throw error;
    },
  );
  try {
    return { head: await folder.log.head(), inPlace };
  } finally {
    await folder.close();
  }
};
