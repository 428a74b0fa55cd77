/** What nodes must tell apart between them. */

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
