import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoints } from '../../coordination/postgres/checkpoints.ts';
import type { EventLog } from '../../log/port.ts';
import { openPostgresEventLog } from '../../log/postgres/event-log.ts';
import { batch, stored } from '../../log/testing.ts';
import { systemClock } from '../../schemas/clock.ts';
import { createDatabase, type TestDatabase } from '../../services/testing.ts';
import { readConfig } from '../environment.ts';
import { checkArchive } from './check.ts';
import { exportLog } from './export.ts';
import { importLog } from './import.ts';
import { type ArchiveStore, openSource, openTarget } from './place.ts';
import { failingAfter } from './testing.ts';

const nothing = () => {};
const TURNS = 500;
const STREAMS = ['channel-1', 'user-1', 'channel-2'];
const EVENTS = TURNS * STREAMS.length;

const configOf = (environment: Record<string, string>) => {
  const config = readConfig(environment);
  if (config._tag === 'Left') throw new Error(config.left.join('\n'));
  return config.right;
};

describe('an archive of an embedded server, imported into PostgreSQL', () => {
  let root: string;
  let folder: string;
  const checked = () => checkArchive(folder, nothing);
  let database: TestDatabase;
  const opened: ArchiveStore[] = [];
  const at = <P extends ArchiveStore>(place: P): P => {
    opened.push(place);
    return place;
  };
  const embedded = () => configOf({ PARLEY_DATA: join(root, 'data') });
  const cluster = () =>
    configOf({
      PARLEY_PROFILE: 'cluster',
      PARLEY_LOG_URL: database.url,
      PARLEY_VAULT_URL: database.url,
      PARLEY_VIEWS_URL: 'postgres://nobody/views',
      PARLEY_REDIS_URL: 'redis://nobody',
      PARLEY_KAFKA_URL: 'kafka://nobody',
      PARLEY_CASSANDRA_URL: 'cassandra://nobody',
    });
  const target = async () => at(await openTarget(cluster(), nothing));
  const idsOf = async (log: Pick<EventLog, 'rawAll'>) =>
    (await log.rawAll({ after: 0, limit: 10_000 })).events.map(({ id }) => id);

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'parley-archive-'));
    folder = join(root, 'archive');
    database = await createDatabase();
    const { log, vault, close } = await openTarget(embedded(), nothing);
    for (let turn = 0; turn < TURNS; turn += 1)
      await Promise.all(STREAMS.map(async (stream) => stored(await log.append(batch(stream, turn)))));
    await vault.reserveUsername('Ada', '1');
    await vault.confirmUsername('Ada', '1');
    await vault.setPassword('1', 'correct horse');
    await vault.createKey('1');
    await close();
    const source = await openSource(embedded(), nothing);
    await exportLog({ ...source, folder, onProgress: nothing });
    await source.close();
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
    await database.drop();
    rmSync(root, { recursive: true });
  });

  it('brings every event and its people over, and exports unchanged', async () => {
    const { log, vault, close } = await target();
    expect(await importLog({ archive: await checked(), log, vault, onProgress: nothing })).toEqual({
      events: EVENTS,
      streams: STREAMS.length,
      known: 0,
    });
    expect(await vault.usernameHolder('ada')).toEqual({ userId: '1', confirmed: true });
    expect(await vault.verifyPassword('1', 'correct horse')).toBe(true);
    await close();
    const again = join(root, 'again');
    const source = await openSource(cluster(), nothing);
    await exportLog({ ...source, folder: again, onProgress: nothing });
    await source.close();
    for (const file of ['events.ndjson', 'streams.ndjson'])
      expect(readFileSync(join(again, file), 'utf8')).toBe(readFileSync(join(folder, file), 'utf8'));
    const linesOf = (where: string) => readFileSync(join(where, 'vault.ndjson'), 'utf8').split('\n').sort();
    expect(linesOf(again)).toEqual(linesOf(folder));
  });

  it('resumes where it was interrupted', async () => {
    const { log, vault } = await target();
    const interrupted = { archive: await checked(), log: failingAfter(log, 1200), vault, onProgress: nothing };
    await expect(importLog(interrupted)).rejects.toThrow('import again');
    const former = await idsOf(log);
    expect(former).toHaveLength(1200);
    const seen: number[] = [];
    const onProgress = (step: string, done: number) => void (step === 'importing' && seen.push(done));
    expect(await importLog({ archive: await checked(), log, vault, onProgress })).toMatchObject({
      events: EVENTS,
      known: 1200,
    });
    expect(seen).toEqual([1000, EVENTS]);
    const now = await idsOf(log);
    expect(now.slice(0, 1200)).toEqual(former);
    expect(new Set(now).size).toBe(EVENTS);
  });

  it('is refused by a log that holds other events', async () => {
    const { log, vault } = await target();
    stored(await log.append(batch('guild-9', 0)));
    await expect(importLog({ archive: await checked(), log, vault, onProgress: nothing })).rejects.toThrow(
      'in guild-9',
    );
    expect(await log.head()).toBe(1);
  });

  it('is refused while a process of the cluster runs, and blocks every process from starting while it runs itself', async () => {
    const running = await openCheckpoints(database.url);
    await running.read('anything');
    await expect(openTarget(cluster(), nothing)).rejects.toThrow('other processes of Parley use this vault');
    await running.close();
    const { close } = await target();
    const began: string[] = [];
    const beginning = openCheckpoints(database.url).then((one) => {
      began.push('began');
      return one.close();
    });
    began.push('released');
    await close();
    await beginning;
    expect(began).toEqual(['released', 'began']);
  });

  it('is refused by a log that another process writes to at the same time', async () => {
    const { log, vault } = await target();
    const other = await openPostgresEventLog({ clock: systemClock, url: database.url });
    const onProgress = nothing;
    const raced = new Proxy(log, {
      get: (on, name, receiver) =>
        name === 'append'
          ? async (request: Parameters<EventLog['append']>[0]) => {
              if (request.stream === 'user-1' && request.expected === 0) stored(await other.append(request));
              return on.append(request);
            }
          : Reflect.get(on, name, receiver),
    });
    await expect(importLog({ archive: await checked(), log: raced, vault, onProgress })).rejects.toThrow(
      'somebody else writes',
    );
    await other.close();
  });
});
