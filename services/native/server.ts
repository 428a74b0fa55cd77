/** One server process that outlives whoever started it: begun, found again, ended. */

import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { ServiceFailed } from '../port.ts';
import { familyOf, type Identity, identityOf, isAlive, parseIdentity, signal } from './identity.ts';
import type { Launch } from './service.ts';

const POLL_MS = 50;
const LOG_BYTES = 16 * 1024 * 1024;
const SURELY_DEAD_MS = 10_000;

export interface ServerFiles {
  /** Names the process that runs. */
  readonly pid: string;
  /** What it prints. */
  readonly log: string;
}

/** The process that was started and still runs. */
export const running = (files: ServerFiles): Identity | undefined => {
  if (!existsSync(files.pid)) return undefined;
  const identity = parseIdentity(readFileSync(files.pid, 'utf8'));
  return identity !== undefined && isAlive(identity) ? identity : undefined;
};

export const lastLines = (file: string, lines: number): string => {
  if (!existsSync(file)) return '';
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
};

const endedWhileStarting = ({ log }: ServerFiles): ServiceFailed =>
  new ServiceFailed(`ended while starting:\n${lastLines(log, 20)}`);

/**
 * Linux weighs a niceness within a session only, and each server has one of its own, where it groups processes by session
 * (`sched_autogroup_enabled`): then the session has to be told too.
 */
const standBack = (pid: number, niceness: number): void => {
  try {
    setPriority(pid, niceness);
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  } catch {
    // It has ended, which is noticed later, or the machine knows no such thing or does not allow it: it runs all the same.
  }
};

/** Starts it detached, and notes who it is. @throws ServiceFailed when it has ended before it could be noted */
export const launch = async (
  files: ServerFiles,
  { command, args, environment, account, niceness }: Launch,
): Promise<Identity> => {
  const isLarge = existsSync(files.log) && statSync(files.log).size > LOG_BYTES;
  const output = openSync(files.log, isLarge ? 'w' : 'a');
  try {
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', output, output],
      cwd: '/',
      env: { ...process.env, ...environment },
      ...account,
    });
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
    const identity = child.pid === undefined ? undefined : identityOf(child.pid);
    if (identity === undefined) throw endedWhileStarting(files);
    // At once: threads are as nice as the one that begins them was then.
    if (niceness !== undefined) standBack(identity.pid, niceness);
    writeFileSync(files.pid, JSON.stringify(identity));
    return identity;
  } finally {
    closeSync(output);
  }
};

/** Resolves when `probe` does; @throws ServiceFailed when the process ends first, or after `timeoutMs` */
export const untilReady = async (
  files: ServerFiles,
  identity: Identity,
  probe: () => Promise<void>,
  timeoutMs: number,
): Promise<void> => {
  const deadline = Date.now() + timeoutMs;
  let reason = 'it was not asked';
  while (Date.now() < deadline) {
    try {
      return await probe();
    } catch (error) {
      reason = (error as Error).message;
    }
    if (!isAlive(identity)) throw endedWhileStarting(files);
    await delay(POLL_MS);
  }
  throw new ServiceFailed(`not ready after ${timeoutMs / 1000} s (${reason}):\n${lastLines(files.log, 20)}`);
};

const untilGone = async (family: readonly Identity[], timeoutMs: number): Promise<boolean> => {
  const deadline = Date.now() + timeoutMs;
  while (family.some(isAlive)) {
    if (Date.now() >= deadline) return false;
    await delay(POLL_MS);
  }
  return true;
};

/**
 * Sends `name`, to its children too when it is KILL, and resolves when all of them are gone; KILL follows after
 * `patienceMs`. A child that outlived its parent would hold the port and the data.
 */
export const end = async (files: ServerFiles, name: NodeJS.Signals, patienceMs: number): Promise<void> => {
  const identity = running(files);
  if (identity !== undefined) {
    const family = familyOf(identity);
    for (const member of name === 'SIGKILL' ? family : [identity]) signal(member, name);
    if (!(await untilGone(family, name === 'SIGKILL' ? 0 : patienceMs))) {
      for (const member of [...familyOf(identity), ...family]) signal(member, 'SIGKILL');
      if (!(await untilGone(family, SURELY_DEAD_MS))) throw new ServiceFailed(`process ${identity.pid} does not end`);
    }
  }
  rmSync(files.pid, { force: true });
};
