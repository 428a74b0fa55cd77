import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.spec.ts'],
    exclude: ['node_modules/**', 'dist/**', 'data/**'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Whole-system tests start servers and load two cores; more workers only make them wait for each other.
    maxWorkers: 2,
  },
});
