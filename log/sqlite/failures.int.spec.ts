import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import type { AppendRequest, EventLog } from '../port.ts';
import { batch, sequences, stored, upTo } from '../testing.ts';
import { Appender } from './appender.ts';
import { openSqliteEventLog } from './event-log.ts';
import { openForWriting } from './open.ts';
import { temporaryFolder } from './testing.ts';
import { Writer } from './writer.ts';

let directory: string;
beforeEach(() => {
  directory = temporaryFolder();
});
afterEach(() => rmSync(directory, { recursive: true }));

const kinds = (answers: readonly Either<{ kind: string }, unknown>[]): string[] =>
  answers.map((answer) => (either.isLeft(answer) ? answer.left.kind : 'stored'));

describe('a batch that does not fit on the disk', () => {
  it('is refused whole with all batches of its transaction, while a conflict stays a conflict', () => {
    const database = openForWriting(directory);
    const writer = new Writer(database);
    stored(writer.store([batch('channel-1', 0, 2)]).answers[0]!);
    const pages = database.prepare('PRAGMA page_count').raw(true).get() as [number];
    database.pragma(`max_page_count = ${pages[0] + 4}`);
    const requests = [batch('channel-2', 0), batch('channel-1', 0), batch('channel-1', 2, 500)];
    const { answers, events } = writer.store(requests);
    expect(kinds(answers)).toEqual(['full', 'conflict', 'full']);
    expect(events).toEqual([]);

    database.pragma('max_page_count = 1000000');
    expect(kinds(writer.store(requests).answers)).toEqual(['stored', 'conflict', 'stored']);
    expect(writer.position).toBe(503);
    database.close();
  });

  const canMount = process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0;

  it.runIf(canMount)('is refused on a real full disk, and stored once there is room', async (context) => {
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', directory]);
    if (mounted.status !== 0) return context.skip();
    let log: EventLog | undefined;
    try {
      const ballast = join(directory, 'ballast');
      writeFileSync(ballast, Buffer.alloc(1_200_000));
      log = await openSqliteEventLog({ clock: systemClock, directory });
      let sequence = 0;
      let answer = await log.append(batch('channel-1', 0, 100));
      while (either.isRight(answer)) {
        sequence += 100;
        answer = await log.append(batch('channel-1', sequence, 100));
      }
      expect(answer.left).toEqual({ kind: 'full' });
      expect(sequence).toBeGreaterThan(0);
      expect(sequences(await log.readStream({ stream: 'channel-1', limit: 10_000 }))).toEqual(upTo(sequence));

      rmSync(ballast);
      stored(await log.append(batch('channel-1', sequence, 100)));
      await log.close();
      log = await openSqliteEventLog({ clock: systemClock, directory });
      expect((await log.streamHead('channel-1')).sequence).toBe(sequence + 100);
    } finally {
      await log?.close();
      // Lazily: libsql keeps its files open until its statements have been collected.
      spawnSync('umount', ['--lazy', directory]);
    }
  });
});

describe('a batch that can never be stored', () => {
  it('is refused alone: the others of its transaction are stored, in order', async () => {
    const log = await openSqliteEventLog({ clock: systemClock, directory });
    const bad = batch('channel-2', 0);
    const unspeakable = { ...bad, events: [{ ...bad.events[0]!, data: { messageId: 1n } as never }] };
    const requests = [
      batch('channel-1', 0, 2),
      unspeakable,
      batch('channel-1', 2),
      batch('channel-3', 1),
      batch('b', 0),
    ];
    const answers = await Promise.all(requests.map((request) => log.append(request)));
    expect(kinds(answers)).toEqual(['stored', 'refused', 'stored', 'conflict', 'stored']);
    const { events } = await log.readAll({ after: 0, limit: 10 });
    expect(events.map(({ stream, sequence, position }) => [stream, sequence, position])).toEqual([
      ['channel-1', 1, 1],
      ['channel-1', 2, 2],
      ['channel-1', 3, 3],
      ['b', 1, 4],
    ]);
    await log.close();
  });
});

describe('batches that wait at the same time', () => {
  const commitsOf = async (requests: readonly AppendRequest[]): Promise<readonly number[]> => {
    const commits: number[] = [];
    const log = await openSqliteEventLog({ clock: systemClock, directory, onCommit: (events) => commits.push(events) });
    expect(new Set(kinds(await Promise.all(requests.map((request) => log.append(request)))))).toEqual(
      new Set(['stored']),
    );
    await log.close();
    return commits;
  };

  it('become several transactions beyond 5,000 events', async () => {
    const requests = [batch('a', 0, 3000), batch('b', 0, 2000), batch('c', 0), batch('d', 0, 6000), batch('e', 0)];
    expect(await commitsOf(requests)).toEqual([5000, 1, 6000, 1]);
  });

  it('become several transactions beyond 16 MB', async () => {
    const large = (stream: string): AppendRequest => {
      const small = batch(stream, 0);
      return { ...small, events: [{ ...small.events[0]!, data: { text: 'x'.repeat(7 * 1024 * 1024) } as never }] };
    };
    expect(await commitsOf(['a', 'b', 'c'].map(large))).toEqual([2, 1]);
  });
});

describe('a log that can no longer be written to', () => {
  it('refuses appends as unavailable, stores nothing, and recovers when it can', () => {
    const database = openForWriting(directory);
    const writer = new Writer(database);
    database.pragma('query_only = ON');
    expect(kinds(writer.store([batch('channel-1', 0)]).answers)).toEqual(['unavailable']);
    database.pragma('query_only = OFF');
    expect(kinds(writer.store([batch('channel-1', 0)]).answers)).toEqual(['stored']);
    database.close();
  });
});

describe('a commit whose outcome is unknown', () => {
  /** A writer whose commits fail as on a broken disk. */
  const broken = (database: Database.Database): Writer => {
    const writer = new Writer(database);
    const failure = Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_FSYNC', rawCode: 1034 });
    const store = writer.store.bind(writer);
    writer.store = (requests: readonly AppendRequest[]) => {
      store(requests);
      throw failure;
    };
    return writer;
  };

  it('is reported as fatal, is answered as unknown, and blocks later appends', async () => {
    const database = openForWriting(directory);
    const fatal: unknown[] = [];
    const committed: unknown[] = [];
    const appender = new Appender(
      broken(database),
      (events) => committed.push(events),
      (error) => fatal.push(error),
    );
    const answers = await Promise.all([appender.append(batch('channel-1', 0)), appender.append(batch('b', 0))]);
    expect(kinds(answers)).toEqual(['unknown', 'unknown']);
    expect(fatal).toHaveLength(1);
    expect(committed).toEqual([]);
    expect(kinds([await appender.append(batch('channel-1', 1))])).toEqual(['unavailable']);
    database.close();
  });
});
