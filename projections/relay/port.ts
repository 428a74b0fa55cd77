/** The distribution log: the event log once more, cut into partitions that several processes can follow side by side. */

/** Positions by name, kept durably. */
export interface RelayCheckpoints {
  /** 0 for a name never written. */
  read(name: string): Promise<number>;
  /** Never moves back. */
  write(name: string, position: number): Promise<void>;
}

export interface Relay {
  /** Everything at or below this is in the distribution log, with its ticks. */
  readonly position: number;
  /** What is on its way is finished, within a second; the checkpoint is written. */
  stop(): Promise<void>;
}

/** The part of a pino logger that is used here. */
export interface DistributionLogger {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The distribution log cannot be what the configuration says; waiting does not help. */
export class WrongPartitions extends Error {
  override readonly name = 'WrongPartitions';

  constructor(topic: string, actual: number, wanted: number) {
    super(
      `The topic ${topic} has ${actual} partitions, PARLEY_PARTITIONS says ${wanted}. The number never changes in place: set it to ${actual}, or use another PARLEY_NAMESPACE.`,
    );
  }
}
