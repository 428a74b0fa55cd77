/** Who may read the files of a database. */

import { chmodSync, existsSync } from 'node:fs';

/** Keeps a database's files from everybody but their owner. SQLite creates further ones with the mode of the first. */
export const ownerOnly = (file: string): void => {
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(file + suffix)) chmodSync(file + suffix, 0o600);
};
