import { describe, expect, it } from 'vitest';
import { classify, codeOf, isFatal } from './failures.ts';
import { FileGone } from './held-files.ts';

const said = (code: string, rawCode = 0) => Object.assign(new Error(code), { code, rawCode });

describe('a failure of SQLite', () => {
  it.each([
    'SQLITE_FULL',
    'SQLITE_IOERR_WRITE',
    'SQLITE_READONLY',
    'SQLITE_BUSY',
    'SQLITE_BUSY_SNAPSHOT',
    'SQLITE_LOCKED',
    'SQLITE_NOMEM',
    'SQLITE_CANTOPEN',
  ])('%s is transient', (code) => expect(classify(said(code))).toBe('transient'));

  it.each(['SQLITE_CORRUPT', 'SQLITE_CORRUPT_INDEX', 'SQLITE_NOTADB', 'SQLITE_IOERR_SHORT_READ'])(
    '%s is damage of the file',
    (code) => expect(classify(said(code))).toBe('damaged'),
  );

  it.each(['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_MISMATCH', 'SQLITE_ERROR', 'SQLITE_THAT_NOBODY_KNOWS', 'ENOENT'])(
    '%s is permanent',
    (code) => expect(classify(said(code))).toBe('permanent'),
  );

  it('is transient if a file is gone, which may be put back', () => {
    expect(classify(new FileGone('/data/log.db'))).toBe('transient');
  });

  it('that is not from SQLite is permanent, or a bug', () => {
    for (const failure of [new Error('so'), undefined, null, 'x']) expect(classify(failure)).toBe('permanent');
    expect(classify(new TypeError('undefined is not a function'))).toBe('bug');
  });

  it('is fatal after a failed fsync, and for any I/O error of a commit', () => {
    for (const raw of [1034, 1290])
      for (const phase of ['insert', 'commit'] as const) expect(isFatal(said('SQLITE_IOERR', raw), phase)).toBe(true);
    expect(isFatal(said('SQLITE_IOERR', 778), 'commit')).toBe(true);
    expect(isFatal(said('SQLITE_IOERR', 778), 'insert')).toBe(false);
    expect(isFatal(said('SQLITE_FULL', 13), 'commit')).toBe(false);
    expect(codeOf(new Error('so'))).toBe(0);
  });
});
