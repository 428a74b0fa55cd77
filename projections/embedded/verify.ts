/**
 * Rebuilds the views file on request, beside the one in use, compares the two, and swaps the new one in or discards it.
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { LogReader } from '../../log/port.ts';
import type { Clock } from '../../schemas/clock.ts';
import { classify } from '../../stores/sqlite/failures.ts';
import { type Connection, connectReadOnly, query, type Value } from '../../stores/sqlite/statements.ts';
import type { DeadLetter } from '../engine/port.ts';
import type { FoldOf } from '../views/sql-views.ts';
import { bootId, buildingFile, removeFile, swapIn, textOfHex, VIEWS_VERSION } from './file.ts';
import { buildBeside } from './open.ts';

interface ViewsFile {
  readonly epoch: string;
  /** False for a file of another version, which the next start rebuilds. */
  readonly current: boolean;
  readonly checkpoint: number;
  readonly processesThrough: number;
  readonly deadLetters: readonly DeadLetter[];
}

export interface TableSum {
  readonly table: string;
  readonly count: number;
  /** Sixteen hexadecimal digits, independent of row order. */
  readonly checksum: string;
}

const reading = <T>(file: string, read: (db: Connection) => T): T => {
  const db = connectReadOnly(file);
  try {
    return read(db);
  } finally {
    db.close();
  }
};

/**
 * Inspects a views file without using it; another process may have it open.
 * @returns undefined if there is no file, or no readable one
 */
export const inspectViews = (file: string): ViewsFile | undefined => {
  if (!existsSync(file)) return undefined;
  try {
    return reading(file, (db) => {
      const state = 'SELECT version, hex(epoch), checkpoint, processes FROM views';
      const [version, epoch, checkpoint, processesThrough] = query<[number, string, number, number]>(db, state).get()!;
      const letters =
        'SELECT hex(projection), hex(stream), position, hex(error), attempts FROM dead_letters ORDER BY position';
      const deadLetters = query<[string, string, number, string, number]>(db, letters)
        .all()
        .map(([projection, stream, position, error, attempts]) => ({
          ...{ projection: textOfHex(projection), stream: textOfHex(stream), error: textOfHex(error) },
          ...{ position, attempts },
        }));
      return { epoch: textOfHex(epoch), current: version === VIEWS_VERSION, checkpoint, processesThrough, deadLetters };
    });
  } catch {
    return undefined;
  }
};

/** Excludes snapshots, whose timing may differ, and data about the file itself. */
const TABLES = `SELECT name FROM sqlite_master
  WHERE type = 'table' AND name NOT IN ('views', 'dead_letters', 'snapshots') ORDER BY name`;

/** Text as hexadecimal digits, since damaged text would end the process. */
const COLUMNS = `SELECT group_concat(iif(type = 'TEXT', 'hex("' || name || '")', '"' || name || '"')) FROM pragma_table_info(?)`;

/** A checksum per table, to compare with another file's. */
const tableSums = (file: string): readonly TableSum[] =>
  reading(file, (db) =>
    query<[string]>(db, TABLES)
      .all()
      .map(([table]) => {
        let count = 0;
        let sum = 0n;
        const [columns] = query<[string]>(db, COLUMNS).get(table)!;
        for (const row of db.prepare(`SELECT ${columns} FROM ${table}`).raw(true).iterate([]) as Iterable<
          readonly Value[]
        >) {
          count += 1;
          sum += createHash('sha256')
            .update(JSON.stringify([...row]))
            .digest()
            .readBigUInt64BE();
        }
        return { table, count, checksum: BigInt.asUintN(64, sum).toString(16).padStart(16, '0') };
      }),
  );

/** `undefined` for a file whose pages are damaged. */
const sumsIfReadable = (file: string): readonly TableSum[] | undefined => {
  try {
    return tableSums(file);
  } catch (failure) {
    if (classify(failure) !== 'damaged') throw failure;
    return undefined;
  }
};

export interface Remaking {
  readonly file: string;
  /** No other process may write to the log or use the file. */
  readonly log: LogReader;
  readonly foldOf: FoldOf;
  readonly clock: Clock;
  readonly onProgress: (through: number, head: number) => void;
}

interface TableDifference {
  readonly read: TableSum;
  readonly built: TableSum;
}

export interface Remade {
  /** Position at which the two were compared; `undefined` if the old file is missing, damaged or of another log. */
  readonly comparedAt: number | undefined;
  readonly compared: number;
  readonly differences: readonly TableDifference[];
}

const NOTHING = { count: 0, checksum: '' };

const differencesOf = (former: readonly TableSum[], built: readonly TableSum[]): readonly TableDifference[] =>
  built.flatMap((now) => {
    const read = former.find(({ table }) => table === now.table) ?? { ...NOTHING, table: now.table };
    return read.count === now.count && read.checksum === now.checksum ? [] : [{ read, built: now }];
  });

const buildAndCompare = async ({ file, log, foldOf, clock, onProgress }: Remaking): Promise<Remade> => {
  const former = inspectViews(file);
  const head = await log.head();
  const processesThrough = former?.epoch === log.epoch ? Math.min(former.processesThrough, head) : 0;
  const build = (through: number) =>
    buildBeside({
      ...{ file, log, foldOf, clock, processesThrough, through },
      boot: bootId(),
      onProgress: (reached) => onProgress(reached, through),
    });
  const comparable = former?.current && former.epoch === log.epoch && former.checkpoint <= head;
  if (!comparable) {
    await build(head);
    return { comparedAt: undefined, compared: 0, differences: [] };
  }
  // A file that is behind is compared at its own position. The next start adds what it lacks.
  await build(former.checkpoint);
  const built = tableSums(buildingFile(file));
  const sums = sumsIfReadable(file);
  if (sums === undefined) return { comparedAt: undefined, compared: 0, differences: [] };
  return { comparedAt: former.checkpoint, compared: built.length, differences: differencesOf(sums, built) };
};

/** Leaves the file in use as it is. */
export const verifyViews = async (options: Remaking): Promise<Remade> => {
  try {
    return await buildAndCompare(options);
  } finally {
    removeFile(buildingFile(options.file));
  }
};

/** Replaces the old file with the new one whatever the comparison says, because the log is the authority. */
export const remakeViews = async (options: Remaking): Promise<Remade> => {
  const remade = await buildAndCompare(options);
  swapIn(options.file);
  return remade;
};
