/** A server process that outlives the process that started it: how to start, find and end it. */

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
  /** Holds the identity of the running process. */
  readonly pid: string;
  /** Holds its output. */
  readonly log: string;
}

/** The started process, if it still runs. */
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
 * Where Linux groups processes by session (`sched_autogroup_enabled`), a niceness counts only within one. Each server
 * has its own session, so the session's niceness is set too.
 */
const standBack = (pid: number, niceness: number): void => {
  try {
    setPriority(pid, niceness);
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  } catch {
    // The process has ended, which is noticed later, or the machine does not allow this. The server runs anyway.
  }
};

/** Starts it detached and stores its identity. @throws ServiceFailed when it has ended before its identity was read */
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
    // Set at once, because threads inherit the niceness of the moment they start.
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
 * Sends `name`, to its children too when it is KILL, and resolves when all of them are gone. KILL follows after
 * `patienceMs`. A child that outlived its parent would keep the port and the data.
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
