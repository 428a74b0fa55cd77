/** Which partition of the distribution log a stream's events go through: the same on every node, for ever. */
import { systemClock } from '../../schemas/clock.ts';
import { CheckpointMoved, type PartitionBatch } from './port.ts';

/** What a store knows of its partitions: where they stand, and how far beyond that nothing has to be stored. */
const FLUSH_MS = 1000;

export interface Remembered {
  readonly partition: number;
  /** Where the partition stands, as this store last read or wrote it. */
  readonly since: number;
  /** Nothing has to be stored up to here. */
  readonly through: number;
}

/**
 * Moves the checkpoints of partitions that stand where they are said to.
 * @returns the others, and where those stand.
 */
type MoveOn = (remembered: readonly Remembered[]) => Promise<ReadonlyMap<number, number>>;

export class PartitionPositions {
  private readonly moveOn: MoveOn;
  private readonly clock: () => number;
  private readonly stored = new Map<number, number>();
  private readonly remembered = new Map<number, number>();
  private flushed: number;

  /** @param clock milliseconds that never go back */
  constructor(moveOn: MoveOn, clock: () => number = systemClock.monotonic) {
    this.moveOn = moveOn;
    this.clock = clock;
    this.flushed = clock();
  }

  /** Takes what the store was found to hold. @returns it by partition, 0 where nothing is. */
  found(positions: ReadonlyMap<number, number>, partitions: number): readonly number[] {
    return Array.from({ length: partitions }, (_, partition) => {
      const position = positions.get(partition) ?? 0;
      this.stands(partition, position);
      return position;
    });
  }

  /** Where the batch's partition stands in the store. */
  since({ partition, from }: PartitionBatch): number {
    return this.stored.get(partition) ?? from;
  }

  stands(partition: number, position: number): void {
    this.stored.set(partition, position);
    this.remembered.delete(partition);
  }

  /** @throws CheckpointMoved: the partition stands elsewhere. */
  moved({ partition, from }: PartitionBatch, actual: number): never {
    this.stands(partition, actual);
    throw new CheckpointMoved(partition, from, actual);
  }

  /** A batch that leaves nothing to store: its end is stored once a second. @throws CheckpointMoved */
  async remember(batch: PartitionBatch): Promise<void> {
    const { partition, from, through } = batch;
    if (!this.stored.has(partition)) this.stored.set(partition, from);
    if (through > this.stored.get(partition)!) this.remembered.set(partition, through);
    if (this.clock() - this.flushed < FLUSH_MS) return;
    const actual = (await this.flush()).get(partition);
    if (actual !== undefined) this.moved(batch, actual);
  }

  /** Partitions that somebody else has moved are left to their next commit. @returns where those stand. */
  async flush(): Promise<ReadonlyMap<number, number>> {
    this.flushed = this.clock();
    const remembered = [...this.remembered].map(([partition, through]) => ({
      partition,
      through,
      since: this.stored.get(partition) ?? 0,
    }));
    if (remembered.length === 0) return new Map();
    const elsewhere = await this.moveOn(remembered);
    for (const { partition, through } of remembered) {
      if (elsewhere.has(partition)) continue;
      this.stored.set(partition, Math.max(through, this.stored.get(partition) ?? 0));
      // More may have been remembered meanwhile.
      if (this.remembered.get(partition) === through) this.remembered.delete(partition);
    }
    return elsewhere;
  }
}

/** FNV-1a over the name's UTF-16 units: stream names are ASCII. */
const hash = (name: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return h >>> 0;
};

/** @param partitions how many there are; never changes for a topic in place. */
export const partitionOf = (stream: string, partitions: number): number => hash(stream) % partitions;
