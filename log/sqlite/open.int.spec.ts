import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { lockDirectory } from '../../stores/sqlite/lock.ts';
import { batch, collector, sequences, stored, unexpected, upTo } from '../testing.ts';
import { openSqliteEventLog } from './event-log.ts';
import { openSqliteLogReader } from './log-reader.ts';
import { type LogTrouble, UnusableLog } from './open.ts';
import { temporaryFolder } from './testing.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = temporaryFolder();
  file = join(directory, 'log.db');
});
afterEach(() => {
  chmodSync(directory, 0o700);
  rmSync(directory, { recursive: true });
});

const PAGE = 4_096;

/** A log of 2,000 events, closed. */
const written = async (): Promise<void> => {
  const log = await openSqliteEventLog({ clock: systemClock, directory });
  stored(await log.append(batch('channel-1', 0, 2_000)));
  await log.close();
};

const other = (statements: string): void => {
  const database = new Database(file);
  database.exec(statements);
  database.close();
};

/** Expects opening to fail, to leave the file unchanged and the directory unlocked. */
const refused = async (trouble: LogTrouble, says: RegExp): Promise<void> => {
  const before = readFileSync(file);
  const refusal = await openSqliteEventLog({ clock: systemClock, directory }).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(UnusableLog);
  expect(refusal).toMatchObject({ trouble, message: expect.stringMatching(says) });
  expect(readFileSync(file).equals(before)).toBe(true);
  lockDirectory(directory).release();
};

it('the files of a log are readable by their owner only, also where former versions let others read them', async () => {
  const modes = () => ['', '-wal', '-shm'].map((suffix) => statSync(file + suffix).mode & 0o777);
  for (const _ of ['new', 'former']) {
    const log = await openSqliteEventLog({ clock: systemClock, directory });
    expect(modes()).toEqual([0o600, 0o600, 0o600]);
    await log.close();
    chmodSync(file, 0o644);
  }
});

describe('opening a log for writing is refused', () => {
  it('when the file is not a database', async () => {
    writeFileSync(file, 'To whom it may concern:\n'.repeat(400));
    await refused('not-ours', /log\.db is not a Parley log\. .* move it elsewhere/);
  });

  it('when the file is another program’s database', async () => {
    other('CREATE TABLE recipes (name)');
    await refused('not-ours', /some other program/);
  });

  it('when the file was written by a newer Parley', async () => {
    await written();
    other('PRAGMA user_version = 99');
    await refused('newer', /format 99; this Parley knows formats up to 2\. Start the Parley that wrote it/);
  });

  it('when the file is marked read-only', async () => {
    await written();
    chmodSync(file, 0o444);
    await refused('read-only', /log\.db .*Parley must be able to write to it/);
  });

  it('when the file has been truncated, inside a page or between two', async () => {
    await written();
    const { size } = statSync(file);
    for (const length of [size - 1_000, size - PAGE, PAGE * 3, 1_000, 60, 0]) {
      const whole = readFileSync(file);
      truncateSync(file, length);
      await refused('damaged', /is damaged|damaged or cut short|is empty/);
      writeFileSync(file, whole);
    }
  });

  it('when the newest page has changed', async () => {
    await written();
    const content = readFileSync(file);
    content.fill(0, content.length - PAGE);
    writeFileSync(file, content);
    await refused('damaged', /damaged.* from a backup/);
  });

  it('when the file is gone but its journal is not', async () => {
    await written();
    writeFileSync(`${file}-wal`, 'x');
    rmSync(file);
    await expect(openSqliteEventLog({ clock: systemClock, directory })).rejects.toMatchObject({ trouble: 'damaged' });
  });

  it('when the file was truncated after a crash, while the journal still holds the newest pages', async () => {
    const log = await openSqliteEventLog({ clock: systemClock, directory });
    for (let i = 0; i < 40; i += 1) stored(await log.append(batch(`channel-${i % 4}`, Math.floor(i / 4) * 500, 500)));
    // The files that a process killed now would leave.
    const crashed = join(directory, 'crashed');
    mkdirSync(crashed);
    for (const name of ['log.db', 'log.db-wal']) copyFileSync(join(directory, name), join(crashed, name));
    await log.close();

    const copy = join(directory, 'copy');
    mkdirSync(copy);
    for (const name of ['log.db', 'log.db-wal']) copyFileSync(join(crashed, name), join(copy, name));
    truncateSync(join(copy, 'log.db'), PAGE * 20);
    await expect(openSqliteEventLog({ clock: systemClock, directory: copy })).rejects.toMatchObject({
      trouble: 'damaged',
    });

    const whole = await openSqliteEventLog({ clock: systemClock, directory: crashed });
    expect(sequences(await whole.readStream({ stream: 'channel-1', limit: 10_000 }))).toEqual(upTo(5_000));
    await whole.close();
  });
});

describe('opening a log in a folder that cannot be written to', () => {
  it('is refused before anything is created', async () => {
    chmodSync(directory, 0o555);
    await expect(openSqliteEventLog({ clock: systemClock, directory })).rejects.toThrow(
      /cannot be written to|read-only/,
    );
  });
});

describe('opening a log for reading', () => {
  it('works beside the writer, and follows it', async () => {
    const log = await openSqliteEventLog({ clock: systemClock, directory });
    stored(await log.append(batch('channel-1', 0, 1_500)));
    const reader = await openSqliteLogReader({ clock: systemClock, directory });
    expect(reader.epoch).toBe(log.epoch);
    const seen = collector();
    const tail = reader.tail(0, seen.onEvents, unexpected);
    await seen.until(1_500);
    stored(await log.append(batch('channel-2', 0, 3)));
    await seen.until(1_503);
    await tail.stop();
    expect(seen.events).toEqual((await log.readAll({ after: 0, limit: 2_000 })).events);
    expect(await reader.head()).toBe(1_503);
    expect(await reader.streamHead('channel-2')).toEqual(await log.streamHead('channel-2'));
    expect(await reader.streams({ limit: 5 })).toEqual(await log.streams({ limit: 5 }));
    expect(await reader.rawAll({ after: 1_500, limit: 5 })).toEqual(await log.rawAll({ after: 1_500, limit: 5 }));
    await reader.close();
    await log.close();
  });

  it('works on a closed log in a read-only folder', async () => {
    await written();
    for (const name of ['log.db-wal', 'log.db-shm']) rmSync(join(directory, name), { force: true });
    chmodSync(directory, 0o555);
    chmodSync(file, 0o444);
    const reader = await openSqliteLogReader({ clock: systemClock, directory });
    expect(await reader.head()).toBe(2_000);
    await reader.close();
  });

  it('fails with a clear error if there is no log, or it is not ours', async () => {
    await expect(openSqliteLogReader({ clock: systemClock, directory })).rejects.toMatchObject({ trouble: 'missing' });
    // As a first start on a full disk leaves it.
    writeFileSync(file, '');
    await expect(openSqliteLogReader({ clock: systemClock, directory })).rejects.toThrow(/is empty\. .*remove it/);
    other('CREATE TABLE recipes (name)');
    await expect(openSqliteLogReader({ clock: systemClock, directory })).rejects.toMatchObject({ trouble: 'not-ours' });
  });
});
