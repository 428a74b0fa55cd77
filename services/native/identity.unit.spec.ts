import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { familyOf, type Identity, identityOf, isAlive, parseIdentity, signal } from './identity.ts';
import { end, running } from './server.ts';

const self = (): Identity => {
  const identity = identityOf(process.pid);
  if (identity === undefined) throw new Error('there is no such process as this one');
  return identity;
};

describe('the identity of a process', () => {
  it('is alive, and is still so after being stored as JSON', () => {
    expect(isAlive(self())).toBe(true);
    expect(parseIdentity(JSON.stringify(self()))).toEqual(self());
  });

  it('differs from that of another process with its pid, and from one before a reboot', () => {
    expect(isAlive({ ...self(), began: '1' })).toBe(false);
    expect(isAlive({ ...self(), boot: 'another' })).toBe(false);
    expect(signal({ ...self(), began: '1' }, 'SIGKILL')).toBe(false);
  });

  it('ends with the process', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const identity = identityOf(child.pid ?? 0);
    expect(identity && familyOf(self()).map(({ pid }) => pid)).toContain(child.pid);
    expect(identity && signal(identity, 'SIGKILL')).toBe(true);
    await once(child, 'exit');
    expect(identity && isAlive(identity)).toBe(false);
    expect(identity && signal(identity, 'SIGKILL')).toBe(false);
  });

  it('is undefined when its file is damaged', () => {
    for (const text of ['', '{', '12', 'null', '{"pid":"1"}']) expect(parseIdentity(text)).toBeUndefined();
  });
});

describe('ending a server', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'parley-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("spares an unrelated process that now has the server's pid", async () => {
    const stranger = spawn('sleep', ['60']);
    await once(stranger, 'spawn');
    const files = { pid: join(directory, 'pid'), log: join(directory, 'log') };
    writeFileSync(files.pid, JSON.stringify({ ...self(), pid: stranger.pid, began: '1' }));
    expect(running(files)).toBeUndefined();
    await end(files, 'SIGKILL', 0);
    expect(existsSync(files.pid)).toBe(false);
    expect(identityOf(stranger.pid ?? 0)).toBeDefined();
    stranger.kill('SIGKILL');
  });

  it('kills a server that ignores SIGTERM, and its children', async () => {
    const stubborn = spawn('sh', ['-c', 'trap "" TERM; sleep 60 & echo ready; wait; sleep 60'], { detached: true });
    await once(stubborn.stdout, 'data');
    const identity = identityOf(stubborn.pid ?? 0);
    const files = { pid: join(directory, 'pid'), log: join(directory, 'log') };
    writeFileSync(files.pid, JSON.stringify(identity));
    const family = familyOf(identity as Identity);
    expect(family).toHaveLength(2);
    await end(files, 'SIGTERM', 100);
    expect(family.some(isAlive)).toBe(false);
  });
});
