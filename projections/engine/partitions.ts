/** The partition of the distribution log that a stream belongs to: the same on every node, for ever. */
import { CheckpointMoved, type PartitionBatch } from './port.ts';

const FLUSH_MS = 1000;

export interface Remembered {
  readonly partition: number;
  /** The partition's checkpoint as this store last read or wrote it. */
  readonly since: number;
  /** There is nothing to store up to here. */
  readonly through: number;
}

/**
 * Moves the checkpoints of the partitions that are still at `since`.
 * @returns the other partitions and their actual checkpoints
 */
type MoveOn = (remembered: readonly Remembered[]) => Promise<ReadonlyMap<number, number>>;

/** What a store knows of its partitions: their checkpoints, and how far beyond them there is nothing to store. */
export class PartitionPositions {
  private readonly moveOn: MoveOn;
  private readonly clock: () => number;
  private readonly stored = new Map<number, number>();
  private readonly remembered = new Map<number, number>();
  private flushed: number;

  /** @param clock monotonic milliseconds */
  constructor(moveOn: MoveOn, clock: () => number) {
    this.moveOn = moveOn;
    this.clock = clock;
    this.flushed = clock();
  }

  /** Records the checkpoints found in the store. @returns one per partition, 0 if there is none */
  found(positions: ReadonlyMap<number, number>, partitions: number): readonly number[] {
    return Array.from({ length: partitions }, (_, partition) => {
      const position = positions.get(partition) ?? 0;
      this.stands(partition, position);
      return position;
    });
  }

  /** The checkpoint of the batch's partition in the store. */
  since({ partition, from }: PartitionBatch): number {
    return this.stored.get(partition) ?? from;
  }

  stands(partition: number, position: number): void {
    this.stored.set(partition, position);
    this.remembered.delete(partition);
  }

  /** @throws CheckpointMoved: the partition is elsewhere */
  moved({ partition, from }: PartitionBatch, actual: number): never {
    this.stands(partition, actual);
    throw new CheckpointMoved(partition, from, actual);
  }

  /**
   * Keeps the end of a batch that leaves nothing to store in memory; stores it once a second.
   * @throws CheckpointMoved
   */
  async remember(batch: PartitionBatch): Promise<void> {
    const { partition, from, through } = batch;
    if (!this.stored.has(partition)) this.stored.set(partition, from);
    if (through > this.stored.get(partition)!) this.remembered.set(partition, through);
    if (this.clock() - this.flushed < FLUSH_MS) return;
    const actual = (await this.flush()).get(partition);
    if (actual !== undefined) this.moved(batch, actual);
  }

  /** Skips partitions that another process has moved, until their next commit. @returns their actual checkpoints */
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
      // A later position may have been remembered meanwhile.
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

/** @param partitions number of partitions; it never changes for an existing topic */
export const partitionOf = (stream: string, partitions: number): number => hash(stream) % partitions;
