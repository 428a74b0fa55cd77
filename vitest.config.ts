import { existsSync, statfsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

export const excluded = ['**/node_modules/**', 'dist/**', 'data/**', '.services/**'];
const CLUSTER = '**/*.cluster.spec.ts';

const MEMORY = '/dev/shm';
const NEEDED_BYTES = 2 ** 31;

const bytesFree = (folder: string): number => {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
};

// Stores sync every commit, which takes a hundredth of a second on a disk and nothing in memory. A kill -9 loses no file
// of either.
if (existsSync(MEMORY) && bytesFree(MEMORY) > NEEDED_BYTES) process.env.TMPDIR ??= MEMORY;

/** Scripts for Redis are imported as their text, as esbuild does it in the bundle. */
export const lua = {
  name: 'lua',
  transform: (code: string, id: string) =>
    id.endsWith('.lua') ? { code: `export default ${JSON.stringify(code)}`, map: null } : undefined,
};

/** Starts the servers that are down, and skips the suites when that fails. */
export const onServers = { globalSetup: ['services/vitest/global-setup.ts'], runner: 'services/vitest/runner.ts' };

/** What is polled comes at once, but on a machine that stalls. */
const expects = { poll: { timeout: 10_000 } };

export default defineConfig({
  test: {
    // Whole-system tests start servers and load two cores; more workers only make them wait for each other.
    maxWorkers: 2,
    projects: [
      {
        plugins: [lua],
        test: {
          name: 'default',
          // Loading the modules anew for every file takes longer than most of these tests.
          isolate: false,
          include: ['**/*.spec.ts'],
          exclude: [...excluded, CLUSTER],
          testTimeout: 60_000,
          expect: expects,
          hookTimeout: 60_000,
        },
      },
      {
        plugins: [lua],
        test: {
          ...onServers,
          name: 'cluster',
          // As above: half a second of computing for each file.
          isolate: false,
          include: [CLUSTER],
          exclude: excluded,
          // Cassandra takes up to half a minute for a change of tables on a busy machine.
          testTimeout: 180_000,
          expect: expects,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
