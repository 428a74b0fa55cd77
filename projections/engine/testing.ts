/** For specs: a strict store in memory that several followers can share. */

import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { FailureKind } from '../../stores/guard.ts';
import type { DeadLetters, RecordedLetter, WhichLetters } from './dead-letters/port.ts';
import { CheckpointMoved, type PartitionBatch, type PartitionStore } from './port.ts';

/** For specs: dead letters in memory. */
export const memoryDeadLetters = (clock: () => number = () => 0): DeadLetters => {
  const letters = new Map<string, RecordedLetter>();
  const keyOf = ({ projection, stream }: Required<WhichLetters>) => `${projection} ${stream}`;
  const found = ({ projection, stream }: WhichLetters) =>
    [...letters.values()]
      .filter((one) => (projection ?? one.projection) === one.projection && (stream ?? one.stream) === one.stream)
      .sort((a, b) => a.time - b.time);
  return {
    async record(letter) {
      const known = letters.get(keyOf(letter));
      if (known !== undefined && known.sequence <= letter.sequence) return;
      letters.set(keyOf(letter), {
        ...letter,
        error: letter.error.replaceAll('\0', ''),
        time: clock(),
        retry: known?.retry ?? false,
      });
    },
    list: async (which = {}) => found(which),
    poisoned: async (projection) => new Map(found({ projection }).map(({ stream, sequence }) => [stream, sequence])),
    async requestRetry(which) {
      const some = found(which);
      for (const letter of some) letters.set(keyOf(letter), { ...letter, retry: true });
      return some.length;
    },
    requested: async (projection) => found({ projection }).filter(({ retry }) => retry),
    async resolve(which) {
      letters.delete(keyOf(which));
    },
    async failAgain(letter) {
      const known = letters.get(keyOf(letter));
      if (known !== undefined) letters.set(keyOf(letter), { ...known, ...letter, retry: false });
    },
    async forget(projection) {
      for (const letter of found({ projection })) letters.delete(keyOf(letter));
    },
  };
};

export class MemorySink implements PartitionStore {
  readonly name = 'timelines';
  readonly events: ParleyEvent[] = [];
  readonly batches: PartitionBatch[] = [];
  /** Called before each commit; a failure it returns is thrown. */
  fails: (batch: PartitionBatch) => unknown = () => undefined;
  kind: FailureKind = 'transient';
  passOver?: NonNullable<PartitionStore['passOver']>;
  readonly positions: number[];
  private readonly waiting = new Set<() => void>();

  constructor(partitions: number) {
    this.positions = new Array<number>(partitions).fill(0);
  }

  async checkpoints(): Promise<readonly number[]> {
    return [...this.positions];
  }

  async commit(batch: PartitionBatch): Promise<void> {
    const failure = this.fails(batch);
    if (failure !== undefined) throw failure;
    const { partition, from, events, through } = batch;
    const actual = this.positions[partition]!;
    if (actual !== from) throw new CheckpointMoved(partition, from, actual);
    this.positions[partition] = through;
    this.events.push(...events);
    this.batches.push(batch);
    for (const look of this.waiting) look();
  }

  async repair(events: readonly ParleyEvent[]): Promise<void> {
    const failure = this.fails({ partition: -1, from: 0, events, through: 0 });
    if (failure !== undefined) throw failure;
    this.events.push(...events);
    for (const look of this.waiting) look();
  }

  classify(): FailureKind {
    return this.kind;
  }

  async flush(): Promise<void> {}

  /** Empties the store, as after losing everything. */
  empty(): void {
    this.positions.fill(0);
    this.events.splice(0);
  }

  /** Resolves when every partition holds `position`. */
  until(position: number): Promise<void> {
    return this.when(() => this.positions.every((at) => at >= position));
  }

  when(reached: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!reached()) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }
}

/** Positions by stream, in the order in which they were stored. */
export const byStream = (events: readonly ParleyEvent[]): ReadonlyMap<string, readonly number[]> => {
  const streams = new Map<string, number[]>();
  for (const { stream, sequence } of events) streams.set(stream, [...(streams.get(stream) ?? []), sequence]);
  return streams;
};
