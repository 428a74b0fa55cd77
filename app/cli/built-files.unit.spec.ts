import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeOldBuilds } from './built-files.mjs';

describe('a build into the folder of a running server', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'parley-build-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (...files: readonly string[]): void => {
    for (const file of files) writeFileSync(join(folder, file), '');
  };
  const buildOf = (...files: readonly string[]): void => {
    write(...files);
    removeOldBuilds(folder, files);
  };
  const there = () => readdirSync(folder).filter((name) => !name.endsWith('.json'));

  it('leaves the files of the build before it, which the server may yet open', () => {
    buildOf('parley.js', 'parley-A.cjs', 'socket-process-A.js', 'rendering-worker-A.js');
    write('parley-A.cjs.embedded.123');
    buildOf('parley.js', 'parley-B.cjs', 'socket-process-B.js', 'rendering-worker-A.js');
    expect(there()).toEqual([
      ...['parley-A.cjs', 'parley-A.cjs.embedded.123', 'parley-B.cjs', 'parley.js'],
      ...['rendering-worker-A.js', 'socket-process-A.js', 'socket-process-B.js'],
    ]);
  });

  it('removes what is older, but not because the same build is made again', () => {
    buildOf('parley-A.cjs');
    write('parley-A.cjs.embedded.123');
    buildOf('parley-B.cjs');
    buildOf('parley-B.cjs');
    expect(there()).toEqual(['parley-A.cjs', 'parley-A.cjs.embedded.123', 'parley-B.cjs']);
    buildOf('parley-C.cjs');
    expect(there()).toEqual(['parley-B.cjs', 'parley-C.cjs']);
    // Back to the build before.
    buildOf('parley-B.cjs');
    expect(there()).toEqual(['parley-B.cjs', 'parley-C.cjs']);
  });

  it('leaves what is there where no build has said what it wrote', () => {
    write('socket-process.js');
    buildOf('socket-process-A.js');
    expect(there()).toEqual(['socket-process-A.js', 'socket-process.js']);
    buildOf('socket-process-B.js');
    expect(there()).toEqual(['socket-process-A.js', 'socket-process-B.js']);
  });
});
