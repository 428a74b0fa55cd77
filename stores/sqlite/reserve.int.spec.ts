import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../test/support/temporary-folder.ts';
import { classify, isFull } from './failures.ts';
import { Reserve } from './reserve.ts';

let folder: TemporaryFolder;
let file: string;
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder.path, 'reserve');
});
afterEach(() => folder.remove());

it('is held once its room is taken, and refuses as a full disk does after it was given up', () => {
  const reserve = new Reserve(file);
  expect(isFull(reserve.lack())).toBe(true);
  expect(classify(reserve.lack())).toBe('transient');
  reserve.take();
  expect(reserve.lack()).toBeUndefined();
  expect(statSync(file).size).toBe(1_048_576);
  reserve.giveUp();
  expect(isFull(reserve.lack())).toBe(true);
  expect(existsSync(file)).toBe(false);
});

it('is held over a restart, but not by a file that was not written to its end', () => {
  new Reserve(file).take();
  expect(new Reserve(file).lack()).toBeUndefined();
  writeFileSync(file, 'x');
  const reserve = new Reserve(file);
  expect(isFull(reserve.lack())).toBe(true);
  reserve.take();
  expect(reserve.lack()).toBeUndefined();
});
