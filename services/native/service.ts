/** What one kind of server must tell so that it can be run natively. */
import type { NativeName, Ports } from '../ports.ts';

/** Where one server of one set lives. */
export interface Place {
  readonly name: NativeName;
  readonly ports: Ports;
  /** Its data: kept over restarts. */
  readonly data: string;
  /** Its configuration, written anew at every start. */
  readonly configuration: string;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The account to run as, where it is not ours. */
  readonly account?: Account;
  /** 1 to 19: how far it stands back where others want the processor too. */
  readonly niceness?: number;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface NativeService {
  /** The port that clients use. */
  readonly port: (ports: Ports) => number;
  /** Asks for a clean end without waiting for clients. */
  readonly endSignal: NodeJS.Signals;
  /** Gets its programs where they are missing. @throws ServiceMissing */
  readonly install: (tell: (message: string) => void) => Promise<void>;
  /** Writes its configuration, and its first data when there is none. */
  readonly prepare: (place: Place) => Promise<Launch>;
  /** Resolves when it answers a real request; rejects when it does not, within about two seconds. */
  readonly probe: (port: number) => Promise<void>;
}
