/** Folded states of long streams, kept so that a cold stream loads without reading all of it. Disposable. */

export interface StateSnapshot {
  readonly stream: string;
  readonly sequence: number;
  /** Version of the fold; a snapshot of another version is not used. */
  readonly version: number;
  /** Plain JSON. */
  readonly state: unknown;
}

export interface SnapshotReader {
  latest(stream: string): Promise<StateSnapshot | undefined>;
}

/** A snapshot as it is kept. */
export interface StoredSnapshot extends Omit<StateSnapshot, 'state'> {
  /** The state as JSON text. */
  readonly json: string;
}

export interface SnapshotWriter {
  /** Each takes the place of its stream's former one. */
  apply(snapshots: readonly StoredSnapshot[]): void | Promise<void>;
}
