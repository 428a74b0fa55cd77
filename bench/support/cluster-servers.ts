/** The servers of services/ for benches of the cluster profile, and a namespace on them that is removed afterwards. */
import { sharedServices } from '../../services/index.ts';
import { createNamespace, type Namespace } from '../../test/support/namespace.ts';

let starting: Promise<void> | undefined;

const start = async (): Promise<void> => {
  const services = sharedServices((name, message) => process.stderr.write(`services: ${name ?? ''} ${message}\n`));
  const down = (await services.status()).filter(({ state }) => state === 'down').map(({ name }) => name);
  if (down.length > 0) await services.start(...down);
};

/** Starts what is down. It stays up for the next run, as after the tests. */
export const clusterServers = (): Promise<void> => {
  starting ??= start();
  return starting;
};

export const withNamespace = async <T>(measure: (namespace: Namespace) => Promise<T>): Promise<T> => {
  const namespace = await createNamespace();
  try {
    return await measure(namespace);
  } finally {
    await namespace.drop();
  }
};
