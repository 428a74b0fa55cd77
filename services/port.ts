/** What a set of servers can do, whether they run natively or in containers. */
import type { Ports, ServiceName } from './ports.ts';

/**
 * `up` and `down` are of this set; `foreign` answers on our port but was started by somebody else: it is used, and
 * never ended; `unavailable` cannot be run on this machine.
 */
export type ServiceState = 'up' | 'down' | 'foreign' | 'unavailable';

export interface ServiceStatus {
  readonly name: ServiceName;
  readonly state: ServiceState;
  readonly port: number;
  /** Undefined for what is not running, and for containers. */
  readonly pid: number | undefined;
}

/** Told what goes on, one line at a time; `name` is undefined for what concerns no server in particular. */
export type Progress = (name: ServiceName | undefined, message: string) => void;

/** Something a person has to do before a server can start; the message says what, and how. */
export class ServiceMissing extends Error {
  override readonly name = 'ServiceMissing';
}

/** A server did not do what it was told within the time-out; the message ends with what its log says. */
export class ServiceFailed extends Error {
  override readonly name = 'ServiceFailed';
}

export interface Services {
  readonly ports: Ports;
  readonly urls: Readonly<Record<ServiceName, string>>;
  /**
   * Starts what is down of `names` (when none is given: all that this machine can run), on the data it had, and
   * resolves when each answers. Two processes may call it at once.
   *
   * @throws ServiceMissing when a program is not installed and cannot be; ServiceFailed when one is not ready in 60 s
   */
  start(...names: readonly ServiceName[]): Promise<void>;
  /** Ends `names` (all when none is given) cleanly, resolves when the processes are gone; KILL after 30 s. */
  stop(...names: readonly ServiceName[]): Promise<void>;
  /** Ends one with KILL, without a warning to it, and resolves when its processes are gone. */
  kill(name: ServiceName): Promise<void>;
  status(): Promise<readonly ServiceStatus[]>;
  /** The end of one server's own log, at most `lines` lines. */
  logs(name: ServiceName, lines: number): Promise<string>;
}

/** A set that belongs to its caller alone. */
export interface OwnServices extends Services {
  /** Where they keep what they need. */
  readonly directory: string;
  /** Ends all of them with KILL and removes all they kept. */
  destroy(): Promise<void>;
}
