import { describe, expect, it } from 'vitest';
import { isFatal } from '../../stores/sqlite/failures.ts';
import { appendError } from './writer.ts';

const sqlite = (code: string, rawCode: number) => Object.assign(new Error(code), { code, rawCode });

describe('an error of SQLite', () => {
  it('is fatal when an fsync failed, in any phase', () => {
    for (const error of [sqlite('SQLITE_IOERR_FSYNC', 1034), sqlite('SQLITE_IOERR_DIR_FSYNC', 1290)]) {
      expect(isFatal(error, 'insert')).toBe(true);
      expect(isFatal(error, 'commit')).toBe(true);
    }
  });

  it('is fatal for an I/O error of a commit, but not before the commit', () => {
    const error = sqlite('SQLITE_IOERR_WRITE', 778);
    expect(isFatal(error, 'commit')).toBe(true);
    expect(isFatal(error, 'insert')).toBe(false);
    expect(appendError(error)).toEqual({ kind: 'unavailable', reason: 'SQLITE_IOERR_WRITE' });
  });

  it('says that the disk is full, that the log is unavailable, or that it takes no such value', () => {
    expect(appendError(sqlite('SQLITE_FULL', 13))).toEqual({ kind: 'full' });
    expect(isFatal(sqlite('SQLITE_FULL', 13), 'commit')).toBe(false);
    expect(appendError(sqlite('SQLITE_READONLY', 8))).toEqual({ kind: 'unavailable', reason: 'SQLITE_READONLY' });
    expect(appendError(sqlite('SQLITE_TOOBIG', 18))).toEqual({ kind: 'refused', reason: 'SQLITE_TOOBIG' });
    expect(appendError('something else')).toEqual({ kind: 'refused', reason: 'something else' });
  });
});
