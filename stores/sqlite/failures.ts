/** Classifies SQLite's result codes: caused by the values, the disk or the file. */

import { StoreUnavailable } from '../../schemas/errors.ts';
import { BUDGETS } from '../budgets.ts';
import { classifying } from '../guard.ts';
import { FileGone } from './held-files.ts';

export const FULL = 13;
const IO_ERROR = 10;
const IO_ERROR_FSYNC = 1034;
const IO_ERROR_DIRECTORY_FSYNC = 1290;

/** SQLite's extended result code; 0 for an error that is not from SQLite. */
export const codeOf = (error: unknown): number => {
  const code = (error as { rawCode?: unknown }).rawCode;
  return typeof code === 'number' ? code : 0;
};

const DAMAGED = /^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ)/;
const TRANSIENT = /^SQLITE_(FULL|IOERR|READONLY|BUSY|LOCKED|NOMEM|CANTOPEN)/;

/** There is no server between us and the file, so an error with an unknown code is the request's fault. */
export const classify = classifying((failure) => {
  if (failure instanceof FileGone) return 'transient';
  const code = (failure as { code?: unknown } | null | undefined)?.code;
  if (typeof code !== 'string') return 'permanent';
  if (DAMAGED.test(code)) return 'damaged';
  return TRANSIENT.test(code) ? 'transient' : 'permanent';
});

export const isFull = (error: unknown): boolean => (codeOf(error) & 0xff) === FULL;

/** What a store's caller gets for a failure: StoreUnavailable when it may pass (a full disk), else the failure itself. */
export const refusalOf = (store: string, failure: unknown): unknown =>
  classify(failure) === 'transient'
    ? new StoreUnavailable(store, BUDGETS.sqlite.retrySeconds, { cause: failure })
    : failure;

/** Runs work that may be left undone, since a killed process leaves it undone too: a full disk does not fail it. */
export const ifPossible = (work: () => void): void => {
  try {
    work();
  } catch (failure) {
    if (classify(failure) !== 'transient') throw failure;
  }
};

/**
 * After a failed fsync the state of the disk is unknown, and another fsync may wrongly report success. The process must
 * end and read its files again. The same holds for any I/O error of a commit.
 */
export const isFatal = (error: unknown, phase: 'insert' | 'commit'): boolean => {
  const code = codeOf(error);
  if (code === IO_ERROR_FSYNC || code === IO_ERROR_DIRECTORY_FSYNC) return true;
  return phase === 'commit' && (code & 0xff) === IO_ERROR;
};
