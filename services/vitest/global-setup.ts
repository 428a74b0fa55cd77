/** Starts the servers before the first cluster suite of a run. vitest calls this only when there is such a suite. */
import type { TestProject } from 'vitest/node';
import { sharedServices } from '../index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Names of the servers that cannot be used here. */
    readonly missingServers: readonly string[];
  }
}

const print = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/**
 * Servers that this run started stay up for the next one, except in CI.
 *
 * @throws the error that kept a server from starting, in CI only: there a skipped suite must not look like a passed one
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const services = sharedServices((name, message) => print(`services: ${name ?? ''} ${message}`));
  const isCi = Boolean(process.env.CI);
  const down = (await services.status()).filter(({ state }) => state === 'down').map(({ name }) => name);
  let reason = '';
  try {
    if (down.length > 0) await services.start(...down);
  } catch (error) {
    if (isCi) {
      await services.stop(...down);
      throw error;
    }
    reason = (error as Error).message;
  }
  const status = await services.status();
  const up = status.filter(({ state }) => state === 'up').map(({ name }) => name);
  const missing = status.filter(({ state }) => state !== 'up' && state !== 'foreign').map(({ name }) => name);
  project.provide('missingServers', missing);
  const failed = missing.filter((name) => down.includes(name));
  if (failed.length > 0) print(`\n!!! CLUSTER SUITES THAT USE ${failed.join(', ')} ARE SKIPPED: ${reason}\n`);
  if (up.includes('kurrentdb')) process.env.PARLEY_TEST_KURRENTDB ??= services.urls.kurrentdb;
  return async () => {
    const started = up.filter((name) => down.includes(name));
    if (isCi && started.length > 0) await services.stop(...started);
  };
}
