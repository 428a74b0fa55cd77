import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { batch, collector, sequences, stored, upTo } from '../testing.ts';
import { checkLog } from './check.ts';
import { openSqliteEventLog } from './event-log.ts';
import { openSqliteLogReader } from './log-reader.ts';
import { DamagedEvent, DamagedLog } from './rows.ts';
import { temporaryFolder } from './testing.ts';

const EVENTS = 400;
/** The position that is damaged, far from the page that a start looks at. */
const BAD = 150;

let directory: string;
let file: string;
beforeEach(async () => {
  directory = temporaryFolder();
  file = join(directory, 'log.db');
  const log = await openSqliteEventLog({ clock: systemClock, directory });
  stored(await log.append(batch('channel-1', 0, EVENTS)));
  await log.close();
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = () => openSqliteEventLog({ clock: systemClock, directory });
const column = (name: string): Buffer => {
  const database = new Database(file);
  const row = database.prepare(`SELECT CAST(${name} AS BLOB) FROM events WHERE position = ?`).raw(true).get([BAD]);
  database.close();
  return (row as [Buffer])[0];
};
/** Changes one byte of the damaged event on the disk. @param at its place in the column */
const flip = (name: string, at: (bytes: Buffer) => number, to: number): void => {
  const bytes = column(name);
  const whole = readFileSync(file);
  // The id of an event is unique, and its other columns follow it on the same page.
  const id = whole.indexOf(column('id'));
  const place = name === 'id' ? id : whole.indexOf(bytes, id);
  whole[place + at(bytes)] = to;
  writeFileSync(file, whole);
};
const found = async () => checkLog({ directory, clock: systemClock, onProgress: () => {} });

describe('one byte of an event that has changed on the disk', () => {
  it.each<[string, string, (bytes: Buffer) => number, number]>([
    ['in its id, no longer UTF-8', 'id', () => 3, 0xff],
    ['in its actor, no longer UTF-8', 'actor', () => 2, 0x80],
    ['in its data, no longer UTF-8', 'data', (bytes) => bytes.length - 5, 0xc3],
    ['in its data, no longer JSON', 'data', () => 0, 0x28],
    ['in its data, one bracket less', 'data', (bytes) => bytes.length - 1, 0x20],
    ['in its data, which still is an event', 'data', (bytes) => bytes.indexOf('"ordinal":') + 10, 0x39],
    ['in its data, which gets a line feed', 'data', (bytes) => bytes.indexOf(','), 0x0a],
  ])('%s: is named by stream and position by every read that meets it, and by no other', async (_, name, at, to) => {
    flip(name, at, to);
    const log = await open();
    const named = new RegExp(
      `The event at position ${BAD} \\(channel-1 ${BAD}\\) is damaged in log\\.db: .*parley doctor --log`,
    );
    for (const read of [
      () => log.readAll({ after: 0, limit: EVENTS }),
      // What is passed on unread is checked only for being text.
      ...(to >= 0x80 ? [() => log.rawAll({ after: BAD - 1, limit: 1 })] : []),
      () => log.readStream({ stream: 'channel-1', limit: EVENTS }),
      () => log.readStream({ stream: 'channel-1', direction: 'backwards', limit: EVENTS }),
    ]) {
      const failure = await read().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(DamagedEvent);
      expect((failure as Error).message).toMatch(named);
    }
    expect((await log.readAll({ after: 0, limit: BAD - 1 })).events).toHaveLength(BAD - 1);
    expect((await log.readStream({ stream: 'channel-1', from: BAD + 1, limit: EVENTS })).length).toBe(EVENTS - BAD);
    stored(await log.append(batch('channel-1', EVENTS)));
    await log.close();
    expect(await found()).toMatchObject({ events: EVENTS + 1, count: expect.any(Number) });
    expect((await found()).findings.join('\n')).toContain(`position ${BAD} (channel-1 ${BAD})`);
  });

  it('ends a tail that has delivered everything before it', async () => {
    flip('data', () => 4, 0xff);
    const log = await open();
    const seen = collector();
    const failure = await new Promise<Error>((resolve) => {
      log.tail(0, seen.onEvents, (error) => resolve(error as Error));
    });
    expect(failure).toBeInstanceOf(DamagedEvent);
    expect(sequences(seen.events)).toEqual(upTo(BAD - 1));
    await log.close();
  });
});

describe('a log of format 1, which has no checksums', () => {
  const digit = (bytes: Buffer) => bytes.indexOf('"ordinal":') + 10;

  beforeEach(() => {
    const database = new Database(file);
    database.exec('ALTER TABLE events DROP COLUMN checksum; PRAGMA user_version = 1');
    database.close();
  });

  it('is read as before, also by those who only read, and has checksums from then on', async () => {
    const reader = await openSqliteLogReader({ clock: systemClock, directory });
    expect((await reader.readAll({ after: 0, limit: EVENTS })).events).toHaveLength(EVENTS);
    await reader.close();
    flip('data', digit, 0x39);
    const log = await open();
    expect((await log.readAll({ after: 0, limit: EVENTS })).events).toHaveLength(EVENTS);
    stored(await log.append(batch('channel-1', EVENTS)));
    await log.close();
    expect(await found()).toEqual({ events: EVENTS + 1, findings: [], count: 0 });
    const database = new Database(file);
    const sums = database.prepare('SELECT count(checksum) FROM events').raw(true).get([]);
    database.close();
    expect(sums).toEqual([1]);
  });
});

describe('events that are no longer in their order', () => {
  it('are never skipped silently', async () => {
    const database = new Database(file);
    database.exec(`DELETE FROM events WHERE position = ${BAD}`);
    database.close();
    const log = await open();
    await expect(log.readAll({ after: 0, limit: EVENTS })).rejects.toThrow(DamagedLog);
    await expect(log.readStream({ stream: 'channel-1', limit: EVENTS })).rejects.toThrow(`sequence ${BAD} is missing`);
    await log.close();
    const { findings } = await found();
    expect(findings.join('\n')).toContain(`position ${BAD}`);
  });
});

describe('the check of a log', () => {
  it('finds nothing in a whole one, beside the server that uses it', async () => {
    const log = await open();
    stored(await log.append(batch('channel-2', 0, 3)));
    expect(await found()).toEqual({ events: EVENTS + 3, findings: [], count: 0 });
    await log.close();
  });

  it('finds a page that was overwritten', async () => {
    const whole = readFileSync(file);
    whole.fill(0x5a, 4096 * 20, 4096 * 20 + 2000);
    writeFileSync(file, whole);
    expect((await found()).count).toBeGreaterThan(0);
  });

  it('says so where the pages by which events are found are gone', async () => {
    const whole = readFileSync(file);
    whole.fill(0, 4096);
    writeFileSync(file, whole);
    expect(await found()).toMatchObject({
      events: 0,
      findings: expect.arrayContaining([expect.stringMatching(/log\.db: no event can be found \(.*malformed\)/)]),
    });
  });
});
