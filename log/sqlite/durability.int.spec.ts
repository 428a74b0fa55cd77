import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { type Running, run } from '../processes.testing.ts';
import { batch, sequences, stored, upTo } from '../testing.ts';
import { openSqliteEventLog } from './event-log.ts';
import { openForWriting } from './open.ts';
import { appendingProcess, canTrace, temporaryFolder } from './testing.ts';

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

const acknowledged = (running: Running): number => Math.max(0, ...running.lines().map(Number).filter(Number.isInteger));

const readBack = async (): Promise<number[]> => {
  const log = await openSqliteEventLog({ clock: systemClock, directory });
  try {
    return sequences(await log.readStream({ stream: 'channel-1', limit: 10_000 }));
  } finally {
    await log.close();
  }
};

describe('an acknowledged event', () => {
  it('goes into a write-ahead journal that is synced on every commit', () => {
    const database = openForWriting(directory);
    const pragma = (name: string) => database.prepare(`PRAGMA ${name}`).raw(true).get();
    expect(pragma('journal_mode')).toEqual(['wal']);
    expect(pragma('synchronous')).toEqual([2]);
    database.close();
  });

  it('survives kill -9 of the process', async () => {
    for (const seen of [1, 20, 50]) {
      const before = (await readBack()).length;
      const running = run(bundle.script, [directory, '100000']);
      await running.until((line) => Number(line) >= before + seen);
      running.child.kill('SIGKILL');
      await running.ended;
      const kept = await readBack();
      expect(kept).toEqual(upTo(kept.length));
      expect(kept.length).toBeGreaterThanOrEqual(acknowledged(running));
    }
  });

  it('leaves the journal bounded while readers read', async () => {
    const log = await openSqliteEventLog({ clock: systemClock, directory });
    for (let i = 0; i < 120; i += 1) {
      stored(await log.append(batch('channel-1', i * 500, 500)));
      await log.readAll({ after: 0, limit: 100 });
      await log.readStream({ stream: 'channel-1', direction: 'backwards', limit: 100 });
      await log.streams({ limit: 1 });
    }
    expect(statSync(join(directory, 'log.db')).size).toBeGreaterThan(2 ** 22);
    expect(statSync(join(directory, 'log.db-wal')).size).toBeLessThan(2 ** 23);
    await log.close();
  });
});

describe.runIf(canTrace())('under strace', () => {
  /** Counts calls of fsync and fdatasync by a process that appends `events` events to an empty journal. */
  const syncsOf = async (events: number): Promise<number> => {
    await readBack();
    const report = join(directory, 'strace.txt');
    const tracer = ['strace', '-f', '-o', report, '-e', 'trace=fsync,fdatasync'];
    const running = run(bundle.script, [directory, `${events}`], tracer);
    await running.until((line) => line === 'done');
    running.child.kill('SIGKILL');
    await running.ended;
    return readFileSync(report, 'utf8')
      .split('\n')
      .filter((line) => /f(data)?sync\(.*= 0$|resumed>.*= 0$/.test(line)).length;
  };

  it('each commit costs one fsync', async () => {
    // The first commit also syncs the head of the journal.
    expect(await syncsOf(26)).toBe((await syncsOf(1)) + 25);
  });

  it('a failing fsync ends the process with code 70 before anything is acknowledged', async () => {
    const first = await syncsOf(1);
    const before = (await readBack()).length;
    const failing = `inject=fsync,fdatasync:error=EIO:when=${first + 5}+`;
    const running = run(
      bundle.script,
      [directory, '100'],
      ['strace', '-f', '-o', join(directory, 'strace.txt'), '-e', failing],
    );
    expect(await running.ended).toBe(70);
    expect(acknowledged(running)).toBe(before + 5);
    expect(running.errors()).toContain('The event log could not be written durably.');
    expect((await readBack()).length).toBeGreaterThanOrEqual(before + 5);
  });
});
