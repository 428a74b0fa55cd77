/** Starts the servers before the first cluster suite of a run. vitest calls this only when there is such a suite. */
import type { TestProject } from 'vitest/node';
import { sharedServices } from '../index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Why the cluster suites cannot run; empty when they can. */
    readonly clusterMissing: string;
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
  try {
    if (down.length > 0) await services.start(...down);
    project.provide('clusterMissing', '');
  } catch (error) {
    if (isCi) {
      await services.stop(...down);
      throw error;
    }
    const reason = (error as Error).message;
    print(`\n!!! CLUSTER SUITES ARE SKIPPED: their servers could not be started: ${reason}\n`);
    project.provide('clusterMissing', reason);
  }
  const up = (await services.status()).filter(({ state }) => state === 'up').map(({ name }) => name);
  if (up.includes('kurrentdb')) process.env.PARLEY_TEST_KURRENTDB ??= services.urls.kurrentdb;
  return async () => {
    const started = up.filter((name) => down.includes(name));
    if (isCi && started.length > 0) await services.stop(...started);
  };
}
