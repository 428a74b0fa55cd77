/** The long forms of faults (`npm run chaos`): one file after another, on real servers. `npm test` holds their short forms. */
import { defineConfig } from 'vitest/config';
import { excluded, lua, onServers } from './vitest.config.ts';

const MINUTE_MS = 60_000;

export default defineConfig({
  plugins: [lua],
  test: {
    ...onServers,
    name: 'chaos',
    include: ['**/*.chaos.ts'],
    exclude: excluded,
    fileParallelism: false,
    reporters: ['verbose'],
    testTimeout: 10 * MINUTE_MS,
    hookTimeout: 10 * MINUTE_MS,
  },
});
