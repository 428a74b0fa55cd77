/** The identity of a process. A pid alone is not enough, because it is reused sooner or later. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A pid, the start time of its process and, where that counts from boot, which boot it was. */
export interface Identity {
  readonly pid: number;
  readonly began: string;
  readonly boot: string;
}

interface Stat {
  readonly state: string;
  readonly threads: number;
  readonly parent: number;
  readonly began: string;
}

// Servers are plain processes on Linux only, but the locks are needed wherever Docker runs.
const hasProc = existsSync('/proc/self/stat');

const statOf = (pid: number): Stat | undefined => {
  try {
    if (!hasProc) {
      const text = execFileSync('ps', ['-o', 'state=,ppid=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
      const [state = '', parent, ...began] = text.trim().split(/\s+/);
      return { state, threads: 1, parent: Number(parent), began: began.join(' ') };
    }
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name is in parentheses and may itself contain spaces and parentheses.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', threads: Number(fields[17]), parent: Number(fields[1]), began: fields[19] ?? '' };
  } catch {
    return undefined;
  }
};

const boot = hasProc ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : '';

/** Undefined when there is no such process, or when only its exit code is left. */
export const identityOf = (pid: number): Identity | undefined => {
  const stat = statOf(pid);
  // A zombie holds no port and no file, unless one of its threads is still ending. Where nothing reaps orphans it would
  // stay for ever.
  if (stat === undefined || (/^[ZX]/.test(stat.state) && stat.threads <= 1)) return undefined;
  return { pid, began: stat.began, boot };
};

/** Whether exactly this process is still running, and not another with the same pid. */
export const isAlive = (identity: Identity): boolean => {
  const now = identityOf(identity.pid);
  return now !== undefined && now.began === identity.began && identity.boot === boot;
};

/** A process and all its descendants, itself first. */
export const familyOf = (identity: Identity): readonly Identity[] => {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const stat = statOf(pid);
    if (stat !== undefined) children.set(stat.parent, [...(children.get(stat.parent) ?? []), pid]);
  }
  const family: Identity[] = [identity];
  for (let index = 0; index < family.length; index += 1) {
    for (const pid of children.get(family[index]?.pid ?? 0) ?? []) {
      const child = identityOf(pid);
      if (child !== undefined) family.push(child);
    }
  }
  return family;
};

/** Sends a signal if exactly this process is still running. Returns whether it did. */
export const signal = (identity: Identity, name: NodeJS.Signals): boolean => {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, name);
  } catch {
    return false;
  }
};

/** Reads an identity written with JSON.stringify. Undefined when the text is not one. */
export const parseIdentity = (text: string): Identity | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, began, boot: start } = value as Partial<Identity>;
    if (typeof pid !== 'number' || typeof began !== 'string' || typeof start !== 'string') return undefined;
    return { pid, began, boot: start };
  } catch {
    return undefined;
  }
};
