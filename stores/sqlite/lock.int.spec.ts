import { chownSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../log/processes.testing.ts';
import { openSqliteEventLog } from '../../log/sqlite/event-log.ts';
import { appendingProcess, temporaryFolder } from '../../log/sqlite/testing.ts';
import { systemClock } from '../../schemas/clock.ts';
import { DirectoryInUse, lockDirectory } from './lock.ts';

let directory: string;
let bundle: Awaited<ReturnType<typeof appendingProcess>>;
beforeAll(async () => {
  bundle = await appendingProcess();
});
afterAll(() => bundle.remove());
beforeEach(() => {
  directory = temporaryFolder();
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('a directory that cannot hold data', () => {
  const refused = (path: string) => {
    try {
      lockDirectory(path);
    } catch (error) {
      return String((error as Error).message);
    }
    return 'not refused';
  };

  it('is refused with its variable, what is wrong and what to do', () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    expect(refused(file)).toMatch(/PARLEY_DATA: .*file is a file; a folder is needed/);
    expect(refused(join(file, 'data'))).toMatch(/leads through a file/);
    expect(refused(join(directory, 'not', 'data'))).toMatch(/there is no folder .*not\. Create that one first/);
    const link = join(directory, 'link');
    symlinkSync(join(directory, 'unmounted'), link);
    expect(refused(link)).toMatch(/PARLEY_DATA: .*link is a link to .*unmounted, which is not there/);
    expect(refused('/proc/data')).toMatch(/cannot be created: \/proc is of a file system in which no folder/);
    const sealed = join(directory, 'sealed');
    mkdirSync(sealed, { mode: 0o500 });
    // The superuser may write anywhere but in some file systems of the kernel.
    if (process.getuid?.() !== 0) expect(refused(sealed)).toMatch(/cannot be written to: check its owner/);
    expect(refused('/sys/data')).toMatch(/cannot be created: check the owner of \/sys,/);
  });

  it.runIf(process.getuid?.() === 0)(
    'is refused to root where it is of another user, who could not open the files',
    () => {
      chownSync(directory, 1, 1);
      expect(refused(directory)).toMatch(/belongs to the user with the id 1, .* Run this as that user/);
      expect(readdirSync(directory)).toEqual([]);
    },
  );
});

describe('a data folder', () => {
  it('refuses a second process and names the holder', async () => {
    const log = await openSqliteEventLog({ clock: systemClock, directory });
    const second = run(bundle.script, [directory, '1']);
    expect(await second.ended).toBe(3);
    expect(second.errors()).toContain(`is in use by process ${process.pid}`);
    expect(second.lines()).toEqual([]);
    await log.close();
  });

  it('refuses a second log in the same process', async () => {
    const log = await openSqliteEventLog({ clock: systemClock, directory });
    await expect(openSqliteEventLog({ clock: systemClock, directory })).rejects.toThrow(DirectoryInUse);
    await log.close();
    await (await openSqliteEventLog({ clock: systemClock, directory })).close();
  });

  it('is free as soon as its holder is killed', async () => {
    const first = run(bundle.script, [directory, '1']);
    await first.until((line) => line === 'done');
    await expect(openSqliteEventLog({ clock: systemClock, directory })).rejects.toThrow(
      `is in use by process ${first.child.pid}`,
    );
    first.child.kill('SIGKILL');
    await first.ended;
    const log = await openSqliteEventLog({ clock: systemClock, directory });
    expect((await log.streamHead('channel-1')).sequence).toBe(1);
    await log.close();
  });

  it('can be locked without a log, and released more than once', () => {
    const lock = lockDirectory(directory);
    expect(() => lockDirectory(directory)).toThrow(DirectoryInUse);
    lock.release();
    const next = lockDirectory(directory);
    lock.release();
    expect(() => lockDirectory(directory)).toThrow(DirectoryInUse);
    next.release();
  });
});
