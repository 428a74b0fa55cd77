/** A lock for one process at a time: a file that names its holder. It is void when the holder is gone. */

import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Identity, identityOf, isAlive, parseIdentity } from './identity.ts';

const POLL_MS = 50;
/** A takeover takes microseconds, so a process that died in the middle of one is not waited for longer than this. */
const TAKE_OVER_MS = 5_000;

let attempts = 0;

/** Creates the file with its content in one step. False when it exists already. */
const create = (file: string, content: string): boolean => {
  attempts += 1;
  const draft = `${file}.${process.pid}.${attempts}`;
  writeFileSync(draft, content);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft);
  }
};

const holderOf = (file: string): Identity | undefined => {
  try {
    return parseIdentity(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
};

const isAbandoned = (file: string): boolean => {
  const holder = holderOf(file);
  return holder !== undefined && !isAlive(holder);
};

const olderThan = (file: string, ms: number): boolean => {
  try {
    return Date.now() - statSync(file).mtimeMs > ms;
  } catch {
    return false;
  }
};

/** Removes a dead holder's file, under a second lock: else the slower of two could remove a living holder's file. */
const takeAway = (file: string, own: string): void => {
  const guard = `${file}.abandoned`;
  if (olderThan(guard, TAKE_OVER_MS)) rmSync(guard, { force: true });
  if (!create(guard, own)) return;
  try {
    if (isAbandoned(file)) rmSync(file, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
};

/**
 * Runs `action` while holding `file`. Others wait, in this process too. Not reentrant.
 *
 * @param onWait called once, with the pid of the holder, when the lock is taken
 */
export const withLock = async <A>(
  file: string,
  action: () => Promise<A>,
  onWait?: (pid: number) => void,
): Promise<A> => {
  mkdirSync(dirname(file), { recursive: true });
  const own = JSON.stringify(identityOf(process.pid));
  let told = false;
  while (!create(file, own)) {
    if (isAbandoned(file)) {
      takeAway(file, own);
      continue;
    }
    const holder = holderOf(file);
    if (!told && holder !== undefined) {
      told = true;
      onWait?.(holder.pid);
    }
    await delay(POLL_MS);
  }
  try {
    return await action();
  } finally {
    rmSync(file, { force: true });
  }
};
