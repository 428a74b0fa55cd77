/** Looking into a views file without using it, whoever does. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import Database from 'libsql';
import { type Connection, query, type Value } from '../../sqlite/statements.ts';
import type { DeadLetter } from '../port.ts';
import { VIEWS_VERSION } from './tables.ts';

export interface ViewsFile {
  readonly epoch: string;
  /** False for one of another version, which the next start makes anew. */
  readonly current: boolean;
  readonly checkpoint: number;
  readonly processesThrough: number;
  readonly deadLetters: readonly DeadLetter[];
}

export interface TableSum {
  readonly table: string;
  readonly count: number;
  /** Sixteen hexadecimal digits, whatever the order of the rows. */
  readonly checksum: string;
}

const reading = <T>(file: string, read: (db: Connection) => T): T => {
  const db = new Database(`${pathToFileURL(file).href}?mode=ro`);
  try {
    return read(db);
  } finally {
    db.close();
  }
};

/** `undefined` where there is none, or none that can be read. */
export const inspectViews = (file: string): ViewsFile | undefined => {
  if (!existsSync(file)) return undefined;
  try {
    return reading(file, (db) => {
      const state = 'SELECT version, epoch, checkpoint, processes FROM views';
      const [version, epoch, checkpoint, processesThrough] = query<[number, string, number, number]>(db, state).get()!;
      const letters = 'SELECT projection, stream, position, error, attempts FROM dead_letters ORDER BY position';
      const deadLetters = query<[string, string, number, string, number]>(db, letters)
        .all()
        .map(([projection, stream, position, error, attempts]) => ({ projection, stream, position, error, attempts }));
      return { epoch, current: version === VIEWS_VERSION, checkpoint, processesThrough, deadLetters };
    });
  } catch {
    return undefined;
  }
};

/** Snapshots are left out, which are taken when it suits, and what says something of the file itself. */
const TABLES = `SELECT name FROM sqlite_master
  WHERE type = 'table' AND name NOT IN ('views', 'dead_letters', 'snapshots') ORDER BY name`;

/** What each table holds, as numbers that can be compared with another file's. */
export const tableSums = (file: string): readonly TableSum[] =>
  reading(file, (db) =>
    query<[string]>(db, TABLES)
      .all()
      .map(([table]) => {
        let count = 0;
        let sum = 0n;
        for (const row of db.prepare(`SELECT * FROM ${table}`).raw(true).iterate([]) as Iterable<readonly Value[]>) {
          count += 1;
          sum += createHash('sha256')
            .update(JSON.stringify([...row]))
            .digest()
            .readBigUInt64BE();
        }
        return { table, count, checksum: BigInt.asUintN(64, sum).toString(16).padStart(16, '0') };
      }),
  );
