/** Runs containers where a Docker engine answers, and plain processes elsewhere. */

import { dockerServices } from './docker/docker-services.ts';
import { hasDocker } from './docker/engine.ts';
import { nativeServices } from './native/native-services.ts';
import type { OwnServices, Progress } from './port.ts';
import { type Ports, urlsOf } from './ports.ts';

export interface ServicesOptions {
  /** Folder of their data, configuration, logs and pids. */
  readonly directory: string;
  readonly ports: Ports;
  readonly progress?: Progress;
  /** For a set that is never killed: changes of tables are not flushed to the disk one by one, which takes seconds. */
  readonly neverKilled?: boolean;
}

/** A set of servers with its own ports and data. Nothing is started yet. */
export const createServices = ({
  directory,
  ports,
  progress = () => {},
  neverKilled = false,
}: ServicesOptions): OwnServices => {
  let chosen: Promise<OwnServices> | undefined;
  const choose = (): Promise<OwnServices> => {
    chosen ??= hasDocker().then((docker) =>
      docker ? dockerServices(directory, ports, progress) : nativeServices(directory, ports, progress, neverKilled),
    );
    return chosen;
  };
  return {
    directory,
    ports,
    urls: urlsOf(ports),
    start: async (...names) => (await choose()).start(...names),
    stop: async (...names) => (await choose()).stop(...names),
    kill: async (name) => (await choose()).kill(name),
    status: async () => (await choose()).status(),
    logs: async (name, lines) => (await choose()).logs(name, lines),
    destroy: async () => (await choose()).destroy(),
  };
};
