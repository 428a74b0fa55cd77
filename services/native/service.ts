/** How one kind of server is run natively. */
import type { NativeName, Ports } from '../ports.ts';

/** The files of one server in one set. */
export interface Place {
  readonly name: NativeName;
  readonly ports: Ports;
  /** Its data, kept over restarts. */
  readonly data: string;
  /** Its configuration, written again at every start. */
  readonly configuration: string;
  /** Whether nothing ends it before it has flushed what it holds in memory. */
  readonly neverKilled: boolean;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The account to run as, when it is not ours. */
  readonly account?: Account;
  /** Niceness, 1 to 19: how far it yields the processor to others. */
  readonly niceness?: number;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface NativeService {
  /** The port that clients use. */
  readonly port: (ports: Ports) => number;
  /** The signal for a clean end without waiting for clients. */
  readonly endSignal: NodeJS.Signals;
  /** Installs its programs where they are missing. @throws ServiceMissing */
  readonly install: (tell: (message: string) => void) => Promise<void>;
  /** Writes its configuration, and its first data when there are none. */
  readonly prepare: (place: Place) => Promise<Launch>;
  /** Resolves when it answers a real request. Rejects within about two seconds otherwise. */
  readonly probe: (port: number) => Promise<void>;
}
