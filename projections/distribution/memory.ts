/** The distribution log in memory: partitions of records, relays that fill them, and groups that share them. */

import type { Checkpoints } from '../../coordination/port.ts';
import type { LogReader } from '../../log/port.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { PoisonedStreams } from '../engine/dead-letters/port.ts';
import { Assignment, type Following, type FollowOptions } from './assignment.ts';
import type { PartitionRecord } from './records.ts';
import { type Relay, RunningRelay } from './relay.ts';
import { deliveredOf } from './worker.ts';

/** Records per fetch. */
const FETCH = 700;

class Partition {
  readonly records: PartitionRecord[] = [];
  /** Offset of the oldest record kept. */
  first = 0;
  private ring: () => void = () => {};
  private rung: Promise<void> = Promise.resolve();

  constructor() {
    this.wake();
  }

  wake(): void {
    this.ring();
    this.rung = new Promise((resolve) => {
      this.ring = resolve;
    });
  }

  /** Resolves when there may be more records. */
  more(): Promise<void> {
    return this.rung;
  }
}

/** One consumer of a group. */
class Member {
  readonly assignment: Assignment;
  private readonly distribution: MemoryDistribution;
  private readonly group: Group;
  private readonly options: FollowOptions;
  private current = new AbortController();

  constructor(distribution: MemoryDistribution, group: Group, options: FollowOptions) {
    this.distribution = distribution;
    this.group = group;
    this.options = options;
    const { deadLetters, onDeadLetter, group: projection } = options;
    const poisoned =
      deadLetters &&
      new PoisonedStreams({
        letters: deadLetters,
        projection,
        publish: async () => {},
        ...(onDeadLetter && { onDeadLetter }),
      });
    this.assignment = new Assignment(options, poisoned, options.onFailure);
  }

  take(partitions: readonly number[]): void {
    this.assignment.take(partitions);
    this.current = new AbortController();
    for (const partition of partitions) void this.fetch(partition, this.current.signal);
  }

  private async fetch(partition: number, signal: AbortSignal): Promise<void> {
    const worker = await this.assignment.worker(partition);
    const from = this.distribution.partition(partition);
    let offset = this.group.offsets.get(partition) ?? 0;
    while (worker !== undefined && !signal.aborted) {
      const more = from.more();
      offset = Math.max(offset, from.first);
      const records = from.records.slice(offset - from.first, offset - from.first + FETCH);
      if (records.length === 0) {
        await more;
        continue;
      }
      worker.push(
        records.map(({ key, value }, i) =>
          deliveredOf(value, key === null, String(offset + i + 1), (err) =>
            this.options.logger.warn({ err, partition }, 'a record cannot be read'),
          ),
        ),
      );
      offset += records.length;
      while (!worker.hasRoom && !signal.aborted) await worker.room();
    }
  }

  /** Releases all partitions. @returns where their next owners continue */
  async release(): Promise<void> {
    this.current.abort();
    const workers = [...this.assignment.followed];
    await this.assignment.release();
    for (const [partition, { offset }] of workers)
      if (offset !== undefined) this.group.offsets.set(partition, Number(offset));
  }
}

/** The consumers that share the partitions. */
class Group {
  readonly offsets = new Map<number, number>();
  private readonly partitions: number;
  private members: readonly Member[] = [];
  private turn: Promise<void> = Promise.resolve();

  constructor(partitions: number) {
    this.partitions = partitions;
  }

  join(member: Member): Promise<void> {
    return this.become(() => [...this.members, member]);
  }

  leave(member: Member): Promise<void> {
    return this.become(() => this.members.filter((one) => one !== member));
  }

  /** Every consumer releases its partitions before any of them gets new ones. */
  private become(next: () => readonly Member[]): Promise<void> {
    this.turn = this.turn.then(async () => {
      await Promise.all(this.members.map((one) => one.release()));
      this.members = next();
      for (const [place, one] of this.members.entries())
        one.take(
          Array.from({ length: this.partitions }, (_, partition) => partition).filter(
            (partition) => partition % this.members.length === place,
          ),
        );
    });
    return this.turn;
  }
}

export interface MemoryRelayOptions {
  readonly log: LogReader;
  readonly checkpoints: Checkpoints;
  readonly logger: Logger;
  readonly onRelayed?: (events: number, through: number) => void;
  readonly onFailure: (failure: unknown) => void;
}

export class MemoryDistribution {
  private readonly partitions: readonly Partition[];
  private readonly clock: Clock;
  private readonly groups = new Map<string, Group>();

  constructor(partitions: number, clock: Clock) {
    this.partitions = Array.from({ length: partitions }, () => new Partition());
    this.clock = clock;
  }

  partition(partition: number): Partition {
    return this.partitions[partition]!;
  }

  /** All records now in the log, in order within each partition. */
  get records(): readonly PartitionRecord[] {
    return this.partitions.flatMap(({ records }) => records);
  }

  relay(options: MemoryRelayOptions): Relay {
    return new RunningRelay({
      ...options,
      partitions: this.partitions.length,
      clock: this.clock,
      send: async (records) => this.send(records),
      close: async () => {},
      isFinal: () => false,
      isRefused: () => false,
    });
  }

  private send(records: readonly PartitionRecord[]): void {
    for (const record of records) this.partition(record.partition).records.push(record);
    for (const partition of this.partitions) partition.wake();
  }

  follow(options: Omit<FollowOptions, 'clock' | 'partitions'>): Following {
    const group = this.groups.get(options.group) ?? new Group(this.partitions.length);
    this.groups.set(options.group, group);
    const member = new Member(this, group, { ...options, partitions: this.partitions.length, clock: this.clock });
    void group.join(member);
    return {
      group: options.group,
      positions: () =>
        new Map([...member.assignment.followed].map(([partition, { position }]) => [partition, position])),
      unconfirmedMs: () => 0,
      stop: () => group.leave(member),
    };
  }

  /** Removes all records now in the log, as retention does. */
  expire(): void {
    for (const partition of this.partitions) partition.first += partition.records.splice(0).length;
  }
}
