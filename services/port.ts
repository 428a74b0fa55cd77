/** What a set of servers can do, whether they run natively or in containers. */
import type { Ports, ServiceName } from './ports.ts';

/**
 * `up` and `down` belong to this set. `foreign` answers on our port but was started by somebody else: it is used, and
 * never ended. `unavailable` cannot be run on this machine.
 */
export type ServiceState = 'up' | 'down' | 'foreign' | 'unavailable';

export interface ServiceStatus {
  readonly name: ServiceName;
  readonly state: ServiceState;
  readonly port: number;
  /** Undefined for servers that are not running, and for containers. */
  readonly pid: number | undefined;
}

/** Receives progress, one line at a time. `name` is undefined when a line concerns no particular server. */
export type Progress = (name: ServiceName | undefined, message: string) => void;

/** A person must do something before a server can start. The message says what, and how. */
export class ServiceMissing extends Error {
  override readonly name = 'ServiceMissing';
}

/** A server did not start or stop within the time-out. The message ends with the end of its log. */
export class ServiceFailed extends Error {
  override readonly name = 'ServiceFailed';
}

export interface Services {
  readonly ports: Ports;
  readonly urls: Readonly<Record<ServiceName, string>>;
  /**
   * Starts those of `names` that are down (default: all that this machine can run) on their existing data, and
   * resolves when each answers. Two processes may call it at once.
   *
   * @throws ServiceMissing when a program is not installed and cannot be; ServiceFailed when one is not ready in five minutes
   */
  start(...names: readonly ServiceName[]): Promise<void>;
  /** Ends `names` (default: all) cleanly, with KILL after 30 s. Resolves when the processes are gone. */
  stop(...names: readonly ServiceName[]): Promise<void>;
  /** Ends one with KILL, without a warning. Resolves when its processes are gone. */
  kill(name: ServiceName): Promise<void>;
  status(): Promise<readonly ServiceStatus[]>;
  /** The end of one server's own log, at most `lines` lines. */
  logs(name: ServiceName, lines: number): Promise<string>;
}

/** A set that belongs to its caller alone. */
export interface OwnServices extends Services {
  /** The folder that holds all their files. */
  readonly directory: string;
  /** Ends all of them with KILL and removes all their files. */
  destroy(): Promise<void>;
}
