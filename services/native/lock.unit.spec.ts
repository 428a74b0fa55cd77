import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identityOf } from './identity.ts';
import { withLock } from './lock.ts';

describe('a lock', () => {
  let directory: string;
  let file: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'parley-'));
    file = join(directory, 'below', 'lock');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Twenty contenders at once. Resolves with the most that were inside together. */
  const crowd = async (): Promise<number> => {
    let inside = 0;
    let most = 0;
    const enter = () =>
      withLock(file, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise(setImmediate);
        inside -= 1;
      });
    await Promise.all(Array.from({ length: 20 }, enter));
    return most;
  };

  it('admits one at a time, and leaves no file behind', async () => {
    expect(await crowd()).toBe(1);
    expect(readdirSync(join(directory, 'below'))).toEqual([]);
  });

  it('is free again when its action fails', async () => {
    const failing = withLock(file, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(existsSync(file)).toBe(false);
  });

  it('is taken over by exactly one when its process is gone or its pid was reused', async () => {
    await withLock(file, async () => {});
    for (const dead of [{ began: '1' }, { boot: 'former' }]) {
      writeFileSync(file, JSON.stringify({ ...identityOf(process.pid), ...dead }));
      expect(await crowd()).toBe(1);
    }
  });

  it('reports its holder once', async () => {
    const told: number[] = [];
    const first = withLock(file, () => new Promise((resolve) => setTimeout(resolve, 150)));
    await withLock(
      file,
      async () => {},
      (pid) => told.push(pid),
    );
    await first;
    expect(told).toEqual([process.pid]);
  });
});
