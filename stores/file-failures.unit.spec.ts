import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { fileReason, fileSentence } from './file-failures.ts';

describe('a failure of a file', () => {
  const folder = temporaryFolder();
  afterAll(() => folder.remove());
  const failure = (name: string): unknown => {
    try {
      return readFileSync(join(folder.path, name));
    } catch (error) {
      return error;
    }
  };

  it('is told in words, without the system’s own', () => {
    mkdirSync(join(folder.path, 'folder'));
    writeFileSync(join(folder.path, 'file'), '');
    expect(fileReason(failure('none'))).toBe('it is not there');
    expect(fileSentence(failure('none'))).toBe(`${join(folder.path, 'none')}: it is not there`);
    expect(fileReason(failure('file/x'))).toBe('its path leads through a file');
    expect(fileReason(failure('folder'))).toBe('it is a folder');
    expect(fileReason(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }))).toBe('the disk is full');
  });

  it('of another kind keeps its own words', () => {
    expect(fileReason(new Error('something else'))).toBe('something else');
    expect(fileReason(Object.assign(new Error('odd'), { code: 'EODD' }))).toBe('odd');
    for (const other of [new Error('x'), Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })])
      expect(fileSentence(other)).toBeUndefined();
  });
});
