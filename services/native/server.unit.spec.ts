import { existsSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { end, launch, type ServerFiles } from './server.ts';

const folder = temporaryFolder();
const files: ServerFiles = { pid: join(folder.path, 'server.pid'), log: join(folder.path, 'server.log') };
/** Ends by itself if no test ends it. */
const SLEEP = { command: 'sleep', args: ['60'] };

afterEach(async () => {
  await end(files, 'SIGKILL', 0);
});

afterAll(() => folder.remove());

/** Undefined where the machine does not group processes by session. */
const nicenessOfSession = (pid: number): string | undefined => {
  const file = `/proc/${pid}/autogroup`;
  return existsSync(file) ? /nice (-?\d+)/.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
};

describe('a server', () => {
  it('has the requested niceness, as a process and as a session', async () => {
    const { pid } = await launch(files, { ...SLEEP, niceness: 10 });
    expect(getPriority(pid)).toBe(10);
    expect(['10', undefined]).toContain(nicenessOfSession(pid));
  });

  it('otherwise has the niceness of the process that starts it', async () => {
    const { pid } = await launch(files, SLEEP);
    expect(getPriority(pid)).toBe(getPriority());
  });
});
