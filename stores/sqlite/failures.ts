/** What SQLite's result codes say: of the values, of the disk, or of the file. */

import type { FailureKind } from '../guard.ts';

export const FULL = 13;
const IO_ERROR = 10;
const IO_ERROR_FSYNC = 1034;
const IO_ERROR_DIRECTORY_FSYNC = 1290;

/** SQLite's extended result code; 0 for anything that does not come from SQLite. */
export const codeOf = (error: unknown): number => {
  const code = (error as { rawCode?: unknown }).rawCode;
  return typeof code === 'number' ? code : 0;
};

const DAMAGED = /^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ)/;
const TRANSIENT = /^SQLITE_(FULL|IOERR|READONLY|BUSY|LOCKED|NOMEM|CANTOPEN)/;

/** Nothing lies between us and the file, so what is not known, of SQLite or not, is the fault of what was asked. */
export const classify = (failure: unknown): FailureKind => {
  const code = (failure as { code?: unknown } | null | undefined)?.code;
  if (typeof code !== 'string') return 'permanent';
  if (DAMAGED.test(code)) return 'damaged';
  return TRANSIENT.test(code) ? 'transient' : 'permanent';
};

/**
 * After a failed fsync nobody knows what is on the disk, and asking again may wrongly say that all is well: the process
 * has to end and read its files anew. The same holds for any input or output error of a commit.
 */
export const isFatal = (error: unknown, phase: 'insert' | 'commit'): boolean => {
  const code = codeOf(error);
  if (code === IO_ERROR_FSYNC || code === IO_ERROR_DIRECTORY_FSYNC) return true;
  return phase === 'commit' && (code & 0xff) === IO_ERROR;
};
