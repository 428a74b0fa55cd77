import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { batch, stored } from '../../log/testing.ts';
import { bootId, closeFile, createFile } from '../../projections/embedded/file.ts';
import { inspectViews } from '../../projections/embedded/verify.ts';
import { systemClock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { type Folder, type FolderOptions, openFolder, readFolder } from './folder.ts';
import { restoreFolder } from './restore.ts';

let root: string;
let data: string;
let said: string[];
let sequence: number;
const say = (line: string) => void said.push(line);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'parley-folder-'));
  data = join(root, 'data');
  said = [];
  sequence = 0;
});
afterEach(() => rmSync(root, { recursive: true }));

const open = (more: Partial<FolderOptions> = {}): Promise<Folder> =>
  openFolder({ directory: data, clock: systemClock, say, ...more });
const append = async ({ log }: Folder, events = 1): Promise<void> => {
  stored(await log.append(batch('channel-1', sequence, events)));
  sequence += events;
};
const register = async ({ vault }: Folder, userId: string): Promise<void> => {
  await vault.createKey(userId);
};
/** A folder that was used and closed. @returns its epoch */
const used = async (events = 3): Promise<string> => {
  const folder = await open();
  await register(folder, '10');
  await append(folder, events);
  const { epoch } = folder.log;
  await folder.close();
  return epoch;
};
/** The files as a process killed now would leave them. */
const killed = (name: string): string => {
  const copy = join(root, name);
  cpSync(data, copy, { recursive: true });
  return copy;
};
const names = (directory: string) =>
  readdirSync(directory).filter((name) => name.endsWith('.db') || name === 'signing.key');
const refused = (says: RegExp, directory = data) => expect(open({ directory })).rejects.toThrow(says);

describe('a data folder', () => {
  it('keeps its epoch over clean stops, and says nothing', async () => {
    const epoch = await used();
    for (let i = 0; i < 2; i += 1) {
      const folder = await open();
      expect([folder.log.epoch, await folder.log.head()]).toEqual([epoch, 3]);
      await folder.close();
    }
    expect(said).toEqual([]);
  });

  it('is refused without its vault, without its log, and without both when there are views', async () => {
    await used();
    const at = (name: string) => join(data, name);
    renameSync(at('vault.db'), at('vault.away'));
    await refused(/vault\.db is missing.*\n.*signing\.key .*To go on .*parley restore .*data --accept-loss/);
    expect(names(data)).toEqual(['log.db', 'signing.key']);
    renameSync(at('vault.away'), at('vault.db'));
    renameSync(at('log.db'), at('log.away'));
    await refused(/log\.db is missing/);
    expect(names(data)).toEqual(['signing.key', 'vault.db']);
    rmSync(at('vault.db'));
    writeFileSync(at('views.db'), '');
    await refused(/log\.db is missing/);
  });

  it.each([
    ...['log.db', 'log.db-wal', 'vault.db', 'vault.db-shm', 'views.db', 'views.db.building'],
    ...['parley.lock', 'parley.pid', 'parley.reserve', 'signing.key'],
  ])('is refused while a folder stands in the place of %s, for writing, reading and restoring', async (name) => {
    await used();
    rmSync(join(data, name), { force: true });
    mkdirSync(join(data, name));
    const says = new RegExp(
      `has a folder in the place of the file ${name.replaceAll('.', '\\.')}\\. Move that elsewhere`,
    );
    await refused(says);
    await expect(readFolder({ directory: data, clock: systemClock })).rejects.toThrow(says);
    const restoring = { from: data, data: join(root, 'other'), acceptLoss: false, clock: systemClock, say };
    await expect(restoreFolder(restoring)).rejects.toThrow(says);
  });

  it('says that the signing key was missing', async () => {
    await used();
    rmSync(join(data, 'signing.key'));
    await (await open()).close();
    expect(said).toEqual([expect.stringMatching(/signing\.key was missing: .* everybody signs in again/)]);
  });

  it('is refused with an older vault, an older log, and a vault of another folder', async () => {
    await used();
    const older = killed('older');
    const folder = await open();
    await register(folder, '11');
    await append(folder, 2);
    await folder.close();
    const mixed = (name: string, from: string) => {
      const mix = killed(`mix-${name}`);
      cpSync(join(from, name), join(mix, name));
      return mix;
    };
    await refused(/vault\.db is older than log\.db/, mixed('vault.db', older));
    await refused(
      /log\.db ends at position 3, and vault\.db remembers position 5: .* last 2 events/,
      mixed('log.db', older),
    );

    const other = join(root, 'other');
    const stranger = await open({ directory: other });
    await stranger.vault.createKey('10');
    await stranger.close();
    await refused(/not of the same installation/, mixed('vault.db', other));
    await refused(/log\.db/, mixed('log.db', other));
  });

  it('is refused when the journal of a log in use is gone, emptied or overwritten, and opens with it', async () => {
    const folder = await open();
    await register(folder, '10');
    await append(folder);
    const spoilt: ((journal: string) => void)[] = [
      (journal) => rmSync(journal),
      (journal) => truncateSync(journal, 0),
      (journal) => writeFileSync(journal, Buffer.alloc(4096)),
    ];
    for (const [i, spoil] of spoilt.entries()) {
      const copy = killed(`copy-${i}`);
      spoil(join(copy, 'log.db-wal'));
      await refused(/journal .*log\.db-wal, which is gone or emptied.*parley restore/s, copy);
    }
    const whole = await open({ directory: killed('whole') });
    expect(await whole.log.head()).toBe(1);
    await whole.close();
    await folder.close();
  });

  it('that was copied gets a new epoch, also when the copy was written over the former files', async () => {
    const epoch = await used();
    const copy = killed('copy');
    const epochOf = async (directory: string) => {
      const folder = await open({ directory });
      await folder.close();
      return folder.log.epoch;
    };
    expect(await epochOf(copy)).not.toBe(epoch);
    expect(said).toEqual([expect.stringMatching(/log\.db was copied, put back or changed/)]);
    const backup = killed('backup');
    const folder = await open();
    await append(folder);
    await folder.close();
    for (const name of names(data)) cpSync(join(backup, name), join(data, name));
    expect(await epochOf(data)).not.toBe(epoch);
    const renewed = await epochOf(data);
    expect(await epochOf(data)).toBe(renewed);
  });
});

describe('views of a folder that gets a new epoch', () => {
  const viewsOf = (checkpoint: number, epoch: string) => {
    const db = createFile(join(data, 'views.db'), epoch, bootId(), 0);
    db.exec(`UPDATE views SET checkpoint = ${checkpoint}`);
    closeFile(join(data, 'views.db'), db);
  };
  const epochsAfterRestore = async () => {
    await restoreFolder({ from: data, data, acceptLoss: false, clock: systemClock, say });
    const folder = await open();
    await folder.close();
    return [inspectViews(join(data, 'views.db'))?.epoch, folder.log.epoch];
  };

  it('are kept, because they have followed the same events', async () => {
    viewsOf(2, await used());
    const [views, log] = await epochsAfterRestore();
    expect(views).toBe(log);
  });

  it('are not kept when they are ahead of the log that was put back', async () => {
    const epoch = await used();
    viewsOf(4, epoch);
    await refused(/views\.db has followed it to position 4/);
    const [views, log] = await epochsAfterRestore();
    expect(views).toBe(epoch);
    expect(log).not.toBe(epoch);
  });
});

describe('files that are removed or replaced under an open folder', () => {
  it.each(['log.db', 'log.db-wal', 'vault.db', 'vault.db-wal', 'parley.lock'])(
    'stop all acknowledgements until they are back: %s',
    async (name) => {
      const folder = await open();
      await register(folder, '10');
      await append(folder);
      const file = join(data, name);
      renameSync(file, join(data, 'away'));
      expect(folder.gone()?.message).toContain(`${name} was removed or replaced`);
      const answer = await folder.log.append(batch('channel-1', sequence));
      expect(answer).toMatchObject({ left: { kind: 'unavailable', reason: expect.stringContaining(name) } });
      await expect(folder.vault.createKey('11')).rejects.toThrow(StoreUnavailable);
      expect(await folder.log.readStream({ stream: 'channel-1', limit: 10 })).toHaveLength(1);
      writeFileSync(file, '');
      expect(folder.gone()?.message).toContain(name);
      renameSync(join(data, 'away'), file);
      expect(folder.gone()).toBeUndefined();
      await append(folder);
      await register(folder, '11');
      await folder.close();
    },
  );

  it('stop acknowledgements at once when the whole folder is gone', async () => {
    const folder = await open();
    await append(folder);
    rmSync(data, { recursive: true });
    const answers = await Promise.all([folder.log.append(batch('a', 0)), folder.log.append(batch('b', 0))]);
    expect(answers.map((answer) => answer._tag)).toEqual(['Left', 'Left']);
    await expect(folder.vault.createKey('10')).rejects.toThrow(StoreUnavailable);
    mkdirSync(data);
    expect(folder.gone()).toBeDefined();
    await folder.close();
  });
});

describe('restoring', () => {
  it('brings a backup into an empty folder, with a new epoch, and leaves the backup as it is', async () => {
    const epoch = await used();
    const backup = killed('backup');
    const before = readdirSync(backup);
    const restored = join(root, 'restored');
    expect(await restoreFolder({ from: backup, data: restored, acceptLoss: false, clock: systemClock, say })).toEqual({
      head: 3,
      inPlace: false,
    });
    expect(said).toEqual([]);
    expect(readdirSync(backup)).toEqual(before);
    const folder = await open({ directory: restored });
    expect(folder.log.epoch).not.toBe(epoch);
    expect(await folder.vault.key('10')).toBeDefined();
    await folder.close();
    expect(said).toEqual([]);
  });

  it('gives a folder whose disk was set back a new epoch in its place', async () => {
    const epoch = await used();
    expect(await restoreFolder({ from: data, data, acceptLoss: false, clock: systemClock, say })).toEqual({
      head: 3,
      inPlace: true,
    });
    const folder = await open();
    expect(folder.log.epoch).not.toBe(epoch);
    await folder.close();
  });

  it('is refused over a log, from a folder without a backup, and from one that is not whole', async () => {
    await used();
    const backup = killed('backup');
    const restore = (from: string, to: string, acceptLoss = false) =>
      restoreFolder({ from, data: to, acceptLoss, clock: systemClock, say });
    await expect(restore(backup, data)).rejects.toThrow(/holds signing\.key, vault\.db.*: move this folder away first/);
    mkdirSync(join(root, 'empty'));
    await expect(restore(join(root, 'empty'), join(root, 'new'))).rejects.toThrow(/there is no backup in/);
    await expect(restore(join(root, 'nowhere'), join(root, 'new'))).rejects.toThrow(/there is no folder/);
    rmSync(join(backup, 'vault.db'));
    await expect(restore(backup, join(root, 'new'))).rejects.toThrow(/vault\.db is missing/);
  });

  it('leaves nothing behind when the backup cannot be opened, so that another one can be restored', async () => {
    await used();
    const backup = killed('backup');
    truncateSync(join(backup, 'log.db'), 5000);
    const restore = (to: string) =>
      restoreFolder({ from: backup, data: to, acceptLoss: false, clock: systemClock, say });
    await expect(restore(join(root, 'new'))).rejects.toThrow(/damaged/);
    expect(existsSync(join(root, 'new'))).toBe(false);
    mkdirSync(join(root, 'there'));
    writeFileSync(join(root, 'there', 'notes.txt'), 'mine');
    await expect(restore(join(root, 'there'))).rejects.toThrow(/damaged/);
    expect(readdirSync(join(root, 'there'))).toEqual(['notes.txt']);
    await expect(restore('/proc/nowhere')).rejects.toThrow(/PARLEY_DATA: .* no folder can be created/);
  });

  it('goes on without what is lost when told to, and the folder opens from then on', async () => {
    await used();
    rmSync(join(data, 'vault.db'));
    await restoreFolder({ from: data, data, acceptLoss: true, clock: systemClock, say });
    expect(said).toEqual([expect.stringContaining('vault.db is missing')]);
    const folder = await open();
    await append(folder);
    await register(folder, '12');
    const copy = killed('copy');
    await folder.close();
    rmSync(join(copy, 'log.db-wal'));
    await refused(/journal/, copy);
    await restoreFolder({ from: copy, data: copy, acceptLoss: true, clock: systemClock, say });
    await (await open({ directory: copy })).close();
  });
});
