import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { TestClock } from '../../schemas/clock.testing.ts';
import { openSocketProcesses, socketProcessesWanted } from './pool.ts';

describe('the number of socket processes', () => {
  it.each<[number | null, number, readonly (readonly [sessions: number, processes: number])[]]>([
    [2, 1, [[0, 2]]],
    [
      8,
      4,
      [
        [0, 8],
        [100_000, 8],
      ],
    ],
    [
      null,
      3,
      [
        [0, 0],
        [499, 0],
        [500, 1],
        [1_000, 2],
        [100_000, 2],
      ],
    ],
    [
      null,
      8,
      [
        [0, 0],
        [1_000, 2],
        [100_000, 7],
      ],
    ],
    [null, 64, [[100_000, 8]]],
  ])('with the setting %j on %i cores follows the sessions', (threads, cores, expected) => {
    for (const [sessions, processes] of expected)
      expect(socketProcessesWanted(threads, cores, () => sessions)?.()).toBe(processes);
  });

  it.each([
    [1, 8],
    [null, 1],
    [null, 2],
  ])('is none with the setting %j on %i cores', (threads, cores) => {
    expect(socketProcessesWanted(threads, cores, () => 100_000)).toBeUndefined();
  });
});

describe('a socket process that does nothing it is told', () => {
  it('is ended, and another takes its place', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-pool-'));
    const program = join(folder, 'idle.cjs');
    writeFileSync(program, `process.send('up'); setInterval(() => {}, 1e6);`);
    const clock = new TestClock();
    const said: string[] = [];
    const logger = { debug: () => {}, warn: () => {}, error: (_: object, what: string) => said.push(what) };
    const processes = openSocketProcesses({ wanted: () => 1, logger, clock, program: pathToFileURL(program) })!;
    await expect.poll(() => processes.up).toBe(1);
    // It is given something to do, found busy, and found not to have gone on.
    await clock.advance(5_000);
    await clock.advance(5_000);
    expect(said).toEqual([]);
    await clock.advance(5_000);
    await expect.poll(() => processes.up).toBe(0);
    expect(said).toEqual([expect.stringContaining('stands still'), expect.stringContaining('another takes its place')]);
    await clock.advance(1_000);
    await expect.poll(() => processes.up).toBe(1);
    // It does not end by itself either.
    const closed = processes.close();
    await clock.advance(5_000);
    await closed;
    expect(processes.up).toBe(0);
    rmSync(folder, { recursive: true });
  });
});
