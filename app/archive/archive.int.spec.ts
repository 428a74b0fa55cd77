import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventLog } from '../../log/port.ts';
import { openSqliteEventLog } from '../../log/sqlite/event-log.ts';
import { batch, stored } from '../../log/testing.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { Vault } from '../../vault/port.ts';
import { openSqliteVault } from '../../vault/sqlite/vault.ts';
import { checkArchive } from './check.ts';
import { exportLog } from './export.ts';
import { importLog } from './import.ts';
import { failingAfter } from './testing.ts';

const nothing = () => {};

describe('an archive', () => {
  let root: string;
  let folder: string;
  const checked = () => checkArchive(folder, nothing);
  const opened: { close(): Promise<void> }[] = [];
  const aPlace = async (name: string): Promise<{ log: EventLog; vault: Vault }> => {
    const directory = join(root, name);
    const log = await openSqliteEventLog({ clock: systemClock, directory });
    const vault = await openSqliteVault({ directory });
    opened.push(log, vault);
    return { log, vault };
  };

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'parley-archive-'));
    folder = join(root, 'archive');
    const { log, vault } = await aPlace('source');
    for (let turn = 0; turn < 30; turn += 1)
      for (const stream of ['channel-1', 'user-1', 'channel-2']) stored(await log.append(batch(stream, turn * 3, 3)));
    await vault.createKey('1');
    await exportLog({ log, vault, folder, onProgress: nothing });
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
    rmSync(root, { recursive: true });
  });

  const everything = async (log: EventLog) => (await log.rawAll({ after: 0, limit: 10_000 })).events;

  it('brings every event into an empty log, in order, together with the vault, under a new epoch', async () => {
    const source = opened[0] as EventLog;
    const { log, vault } = await aPlace('target');
    const before = log.epoch;
    const report = await importLog({ archive: await checked(), log, vault, onProgress: nothing });
    expect(report).toEqual({ events: 270, streams: 3, known: 0 });
    const withoutPosition = (events: Awaited<ReturnType<typeof everything>>) =>
      events.map(({ position: _, ...event }) => event);
    expect(withoutPosition(await everything(log))).toEqual(withoutPosition(await everything(source)));
    expect(await vault.key('1')).toBeDefined();
    expect([before, source.epoch]).not.toContain(log.epoch);
  });

  it('resumes where an earlier try stopped, and does nothing when it is complete', async () => {
    const { log, vault } = await aPlace('target');
    stored(await log.append(batch('channel-1', 0, 3)));
    const again = { archive: await checked(), log, vault, onProgress: nothing };
    expect(await importLog(again)).toMatchObject({ known: 3 });
    expect(await importLog(again)).toMatchObject({ known: 270 });
    expect(await everything(log)).toHaveLength(270);
  });

  it('is complete and in the same order when it is imported again after an interruption', async () => {
    const { log, vault } = await aPlace('target');
    const interrupted = { archive: await checked(), log: failingAfter(log, 40), vault, onProgress: nothing };
    await expect(importLog(interrupted)).rejects.toThrow('import again');
    expect((await everything(log)).length).toBe(120);
    expect(await importLog({ archive: await checked(), log, vault, onProgress: nothing })).toMatchObject({
      events: 270,
      known: 120,
    });
    expect(await everything(log)).toEqual(await everything(opened[0] as EventLog));
  });

  it('is refused by a vault that knows other people', async () => {
    const { log, vault } = await aPlace('target');
    await vault.createKey('1');
    await expect(importLog({ archive: await checked(), log, vault, onProgress: nothing })).rejects.toThrow(
      'other people',
    );
    expect(await log.head()).toBe(0);
  });

  it('is refused by a log that holds other events', async () => {
    const { log, vault } = await aPlace('target');
    const other = batch('channel-1', 0, 1);
    stored(await log.append({ ...other, events: [{ ...other.events[0]!, id: 'another' }] }));
    await expect(importLog({ archive: await checked(), log, vault, onProgress: nothing })).rejects.toThrow(
      'already holds other events',
    );
    const { log: more, vault: its } = await aPlace('more');
    stored(await more.append(batch('guild-9', 0, 1)));
    await expect(importLog({ archive: await checked(), log: more, vault: its, onProgress: nothing })).rejects.toThrow(
      'in guild-9',
    );
  });

  it('needs a log that is not empty and a folder of its own', async () => {
    const { log, vault } = await aPlace('empty');
    const elsewhere = join(root, 'elsewhere');
    await expect(exportLog({ log, vault, folder: elsewhere, onProgress: nothing })).rejects.toThrow('log is empty');
    const source = { log: opened[0] as EventLog, vault: opened[1] as Vault, onProgress: nothing };
    await expect(exportLog({ ...source, folder })).rejects.toThrow('holds an archive already');
    await expect(exportLog({ ...source, folder: join(folder, 'events.ndjson') })).rejects.toThrow('is a file');
    await expect(exportLog({ ...source, folder: '/proc/nope' })).rejects.toThrow(/no folder can be created/);
    expect(existsSync(elsewhere)).toBe(false);
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'letters.txt'), 'mine');
    await expect(exportLog({ ...source, folder: elsewhere })).rejects.toThrow('something else (letters.txt)');
  });

  it('replaces what an unfinished export left behind', async () => {
    const source = { log: opened[0] as EventLog, vault: opened[1] as Vault, onProgress: nothing };
    rmSync(join(folder, 'archive.json'));
    writeFileSync(join(folder, 'events.ndjson'), 'half a li');
    expect(await exportLog({ ...source, folder })).toMatchObject({ events: 270 });
    const { log, vault } = await aPlace('target');
    expect(await importLog({ archive: await checked(), log, vault, onProgress: nothing })).toMatchObject({
      events: 270,
    });
  });

  it('is readable by its owner only', () => {
    for (const file of ['events.ndjson', 'vault.ndjson', 'archive.json'])
      expect(statSync(join(folder, file)).mode & 0o077).toBe(0);
  });
});
