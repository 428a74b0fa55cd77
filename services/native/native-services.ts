/** A set of servers as plain processes on this machine. */

import { mkdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type OwnServices, type Progress, ServiceFailed, ServiceMissing, type ServiceStatus } from '../port.ts';
import { type NativeName, nativeNames, type Ports, type ServiceName, serviceNames, urlsOf } from '../ports.ts';
import { cassandra } from './cassandra.ts';
import { kafka } from './kafka.ts';
import { withLock } from './lock.ts';
import { postgres } from './postgres.ts';
import { redis } from './redis.ts';
import { end, lastLines, launch, running, type ServerFiles, untilReady } from './server.ts';
import type { NativeService } from './service.ts';

/** Cassandra takes 15 s on an idle machine, and took 230 s on a busy one. */
const READY_MS = 300_000;
const PATIENCE_MS = 30_000;

const catalogue: Readonly<Record<NativeName, NativeService>> = {
  postgres: postgres('postgres'),
  views: postgres('views'),
  redis,
  kafka,
  cassandra,
};

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

const isNative = (name: ServiceName): name is NativeName => (nativeNames as readonly string[]).includes(name);

const native = (name: ServiceName): NativeName => {
  if (isNative(name)) return name;
  throw new ServiceMissing(`${name}: comes as a container image only: start a Docker engine, and run this again`);
};

/** Waits for every attempt, so that none continues unnoticed, and then throws the first error. */
const each = async (names: readonly ServiceName[], action: (name: NativeName) => Promise<void>): Promise<void> => {
  const chosen = names.length === 0 ? nativeNames : names.map(native);
  const outcomes = await Promise.allSettled(chosen.map(action));
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
  if (failed.length === 1) throw failed[0]?.reason;
  if (failed.length > 1) {
    throw new AggregateError(
      failed.map(({ reason }) => reason as Error),
      failed.map(({ reason }) => (reason as Error).message).join('\n'),
    );
  }
};

/** Names the server in any error about it. */
const naming = async (name: NativeName, action: () => Promise<void>): Promise<void> => {
  try {
    await action();
  } catch (error) {
    if (error instanceof Error) error.message = `${name}: ${error.message}`;
    throw error;
  }
};

/** Keeps data, configuration, logs and pids below `directory`. */
export const nativeServices = (
  directory: string,
  ports: Ports,
  progress: Progress,
  neverKilled: boolean,
): OwnServices => {
  const filesOf = (name: NativeName): ServerFiles => ({
    pid: join(directory, `${name}.pid`),
    log: join(directory, `${name}.log`),
  });
  const locked = (name: NativeName, action: () => Promise<void>): Promise<void> =>
    naming(name, () =>
      withLock(join(directory, `${name}.lock`), action, (pid) => progress(name, `waits for process ${pid}`)),
    );

  const start = async (name: NativeName): Promise<void> => {
    const service = catalogue[name];
    const files = filesOf(name);
    const port = service.port(ports);
    const probe = () => service.probe(port);
    const present = running(files);
    if (present !== undefined) {
      await untilReady(files, present, probe, READY_MS);
      return progress(name, `is up already (port ${port}, pid ${present.pid})`);
    }
    if (await isOpen(port)) {
      await probe().catch((error: Error) => {
        throw new ServiceFailed(`port ${port} is taken by something else (${error.message})`);
      });
      return progress(name, `is up already, started by somebody else (port ${port})`);
    }
    await service.install((message) => progress(name, message));
    progress(name, 'starts');
    const began = Date.now();
    const place = {
      name,
      ports,
      data: join(directory, 'data', name),
      configuration: join(directory, 'conf', name),
      neverKilled,
    };
    await mkdir(join(directory, 'data'), { recursive: true });
    const identity = await launch(files, await service.prepare(place));
    try {
      await untilReady(files, identity, probe, READY_MS);
    } catch (error) {
      await end(files, 'SIGKILL', 0);
      throw error;
    }
    progress(name, `is up after ${((Date.now() - began) / 1000).toFixed(1)} s (port ${port}, pid ${identity.pid})`);
  };

  const stop = async (name: NativeName): Promise<void> => {
    const present = running(filesOf(name));
    await end(filesOf(name), catalogue[name].endSignal, PATIENCE_MS);
    if (present !== undefined) progress(name, `is down (pid ${present.pid})`);
  };

  const kill = async (name: NativeName): Promise<void> => {
    if (running(filesOf(name)) === undefined) throw new ServiceFailed('is not running, or not started here');
    await end(filesOf(name), 'SIGKILL', 0);
  };

  const statusOf = async (name: ServiceName): Promise<ServiceStatus> => {
    if (!isNative(name)) return { name, state: 'unavailable', port: ports[name], pid: undefined };
    const port = catalogue[name].port(ports);
    const pid = running(filesOf(name))?.pid;
    const answers = await catalogue[name].probe(port).then(
      () => true,
      () => false,
    );
    if (!answers) return { name, state: 'down', port, pid };
    return { name, state: pid === undefined ? 'foreign' : 'up', port, pid };
  };

  return {
    directory,
    ports,
    urls: urlsOf(ports),
    start: (...names) => each(names, (name) => locked(name, () => start(name))),
    stop: (...names) => each(names, (name) => locked(name, () => stop(name))),
    kill: async (name) => locked(native(name), () => kill(native(name))),
    status: () => Promise.all(serviceNames.map(statusOf)),
    logs: async (name, lines) => lastLines(filesOf(native(name)).log, lines),
    destroy: async () => {
      await each(nativeNames, (name) => locked(name, () => end(filesOf(name), 'SIGKILL', 0)));
      await rm(directory, { recursive: true, force: true });
    },
  };
};
