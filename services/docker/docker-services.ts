/** A set of servers as containers: a compose project of its own on the set's ports. */

import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../native/lock.ts';
import { run } from '../native/run.ts';
import { checkout } from '../paths.ts';
import { type OwnServices, type Progress, ServiceFailed, type ServiceState } from '../port.ts';
import { isServiceName, type Ports, type ServiceName, serviceNames, urlsOf } from '../ports.ts';

const READY_SECONDS = 180;
const file = join(checkout, 'services', 'docker', 'compose.yaml');

/** Variables of compose.yaml. */
const environmentOf = (ports: Ports): Readonly<Record<string, string>> => ({
  POSTGRES_PORT: String(ports.postgres),
  VIEWS_PORT: String(ports.views),
  REDIS_PORT: String(ports.redis),
  KAFKA_PORT: String(ports.kafka),
  CASSANDRA_PORT: String(ports.cassandra),
  KURRENTDB_PORT: String(ports.kurrentdb),
});

const stateOf = (line: { readonly State?: string; readonly Health?: string } | undefined): ServiceState =>
  line?.State === 'running' && (line.Health ?? 'healthy') === 'healthy' ? 'up' : 'down';

/** `directory` names the project and holds its lock. The data are in volumes of the engine. */
export const dockerServices = (directory: string, ports: Ports, progress: Progress): OwnServices => {
  const project = `parley-${createHash('sha256').update(directory).digest('hex').slice(0, 8)}`;
  const compose = async (...args: readonly string[]): Promise<string> => {
    try {
      const command = ['compose', '--project-name', project, '--file', file, '--progress', 'quiet'];
      return await run('docker', [...command, ...args], { environment: environmentOf(ports) });
    } catch (error) {
      throw new ServiceFailed((error as Error).message);
    }
  };
  const locked = async (action: () => Promise<void>): Promise<void> => {
    await mkdir(directory, { recursive: true });
    await withLock(join(directory, 'docker.lock'), action, (pid) => progress(undefined, `waits for process ${pid}`));
  };
  const portOf = (name: ServiceName): number => ports[name];

  return {
    directory,
    ports,
    urls: urlsOf(ports),
    start: (...names) =>
      locked(async () => {
        progress(undefined, 'starting containers; the first time their images are fetched');
        await compose('up', '--detach', '--wait', '--wait-timeout', String(READY_SECONDS), ...names);
        for (const name of names.length === 0 ? serviceNames : names) progress(name, `is up (port ${portOf(name)})`);
      }),
    stop: (...names) =>
      locked(async () => {
        await compose('stop', ...names);
        progress(undefined, 'containers are down');
      }),
    kill: (name) =>
      locked(async () => {
        await compose('kill', '--signal', 'SIGKILL', name);
        await compose('stop', name);
      }),
    status: async () => {
      const lines = (await compose('ps', '--all', '--format', 'json'))
        .split('\n')
        .filter((line) => line.startsWith('{'));
      const found = lines.map((line) => JSON.parse(line) as { Service: string; State?: string; Health?: string });
      return serviceNames.filter(isServiceName).map((name) => ({
        name,
        state: stateOf(found.find(({ Service }) => Service === name)),
        port: portOf(name),
        pid: undefined,
      }));
    },
    logs: (name, lines) => compose('logs', '--no-color', '--no-log-prefix', '--tail', String(lines), name),
    destroy: async () => {
      await locked(async () => void (await compose('down', '--volumes', '--timeout', '0')));
      await rm(directory, { recursive: true, force: true });
    },
  };
};
