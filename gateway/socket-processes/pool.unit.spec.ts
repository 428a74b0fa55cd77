import { describe, expect, it } from 'vitest';
import { socketProcessesWanted } from './pool.ts';

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
