/** Parley as several processes, each behind a front with a fixed address. */

import { type Front, startFront } from './front.ts';
import { createNamespace, type Namespace } from './namespace.ts';
import { LIMITS_OFF, type Server, startServer } from './server.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Roles by name of the process. */
export const SPLIT = {
  'gateway-1': 'gateway',
  'gateway-2': 'gateway',
  api: 'api',
  relay: 'relay',
  'projector-1': 'projector',
  'projector-2': 'projector',
} as const;

export interface Cluster<Name extends string> {
  readonly namespace: Namespace;
  readonly names: readonly Name[];
  /** Address of a process's front. */
  url(name: Name): string;
  process(name: Name): Server;
  /** Starts a process that has ended. */
  start(name: Name): Promise<void>;
  /** Kill -9. */
  kill(name: Name): Promise<void>;
  /** SIGSTOP: it does nothing, but keeps its sockets, until it wakes. */
  hang(name: Name): void;
  /** SIGCONT, which does nothing to a process that is awake. */
  wake(name: Name): void;
  /** Sends SIGTERM. @returns the exit code; null when it had to be killed */
  stop(name: Name): Promise<number | null>;
  close(): Promise<void>;
}

export interface ClusterOptions<Name extends string> {
  /** Roles by name of the process. */
  readonly processes: Readonly<Record<Name, string>>;
  /** A namespace that the caller drops. Default: a new one on the shared servers. */
  readonly namespace?: Namespace;
  /** Variables of every process. Default: limits off. */
  readonly env?: Readonly<Record<string, string>>;
  /** Variables of one process. */
  readonly envOf?: (name: Name) => Readonly<Record<string, string>>;
}

export const startCluster = async <Name extends string>(options: ClusterOptions<Name>): Promise<Cluster<Name>> => {
  const { processes, env = LIMITS_OFF } = options;
  const names = Object.keys(processes) as Name[];
  const namespace = options.namespace ?? (await createNamespace());
  const folder = temporaryFolder();
  const fronts = new Map<Name, Front>();
  const running = new Map<Name, Server>();
  const start = async (name: Name) => {
    const front = fronts.get(name)!;
    const server = await startServer({
      data: folder.path,
      timeoutMs: 60_000,
      env: {
        ...namespace.env,
        PARLEY_PUBLIC_URL: front.url,
        ...env,
        ...options.envOf?.(name),
        PARLEY_ROLES: processes[name],
      },
    });
    running.set(name, server);
    front.forwardTo(server.port);
  };
  const close = async () => {
    await Promise.all([...running.values()].map((server) => (server.alive() ? server.kill() : undefined)));
    for (const front of fronts.values()) await front.close();
    folder.remove();
    if (options.namespace === undefined) await namespace.drop();
  };
  try {
    for (const name of names) fronts.set(name, await startFront());
    await Promise.all(names.map(start));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    namespace,
    names,
    url: (name) => fronts.get(name)!.url,
    process: (name) => running.get(name)!,
    start,
    kill: (name) => running.get(name)!.kill(),
    hang: (name) => void process.kill(running.get(name)!.pid, 'SIGSTOP'),
    wake: (name) => void process.kill(running.get(name)!.pid, 'SIGCONT'),
    stop: (name) => running.get(name)!.stop(30_000),
    close,
  };
};
