/** What nodes must tell apart between them. */

/** Where the nodes of a cluster tell each other. Never rejects, and never answers less than what was told. */
export interface SharedWrites {
  /** Resolves when the other nodes can know. */
  record(userId: string, position: number): Promise<void>;
  of(userId: string): Promise<number>;
}

// Who is connected where, over all gateways: for presence, and for what is to be pushed to those who are not.

/** As the client describes itself when it identifies; a session that resumed does not say. */
export type Device = 'desktop' | 'mobile' | 'web' | 'other';

/** A person's live sessions on one gateway and kind of device. */
export interface Connected {
  /** One run of one gateway process. */
  readonly gateway: string;
  readonly device: Device;
  readonly sessions: number;
  /** When the first of them began, in milliseconds since 1970. */
  readonly since: number;
}

/** Best effort: never delays a session, and never fails. What a killed gateway told is forgotten within seconds. */
export interface SessionRegistry {
  started(userId: string, device: Device): void;
  ended(userId: string, device: Device): void;
  /** Empty too when it cannot be known now: who may be offline is shown offline. */
  of(userId: string): Promise<readonly Connected[]>;
  /** This gateway is leaving: nobody is connected to it any more. */
  stop(): Promise<void>;
}

/** Positions by name, kept durably. */
export interface RelayCheckpoints {
  /** 0 for a name never written. */
  read(name: string): Promise<number>;
  /** Never moves back. */
  write(name: string, position: number): Promise<void>;
}

/** One of the 1,024 workers whose ids nobody else makes. */
export interface WorkerLease {
  readonly id: number;
  /** False before the lease ends, when it could not be renewed: from then on no id may be made. */
  valid(): boolean;
  release(): Promise<void>;
}

/** Something that one process at a time may be. */
export interface Leadership {
  readonly leading: boolean;
  /** Gives it up, or stops waiting for it. Resolves when `onLost` is through. */
  stop(): Promise<void>;
}

/** Positions by name, kept durably. */
export interface Checkpoints {
  /** 0 for a name never written. */
  read(name: string): Promise<number>;
  /** Never moves back. */
  write(name: string, position: number): Promise<void>;
  close(): Promise<void>;
}
