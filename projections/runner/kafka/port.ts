import type { LogReader } from '../../../log/port.ts';
import type { DeadLetters, NewLetter } from '../../dead-letters/port.ts';
import type { DistributionLogger } from '../../relay/port.ts';
import type { PartitionStore } from '../partition-store.ts';

export interface FollowOptions {
  /** `parseKafkaUrl` says which. */
  readonly url: string;
  readonly namespace: string;
  readonly partitions: number;
  /** Those who share it share the partitions: `timelines-g1`, `delivery`. The namespace is put before it. */
  readonly group: string;
  readonly log: LogReader;
  readonly sink: PartitionStore;
  /** Where events go that the store refuses for ever; their streams are left out. Without it they are tried for ever. */
  readonly deadLetters?: DeadLetters;
  readonly onDeadLetter?: (letter: NewLetter) => void;
  readonly logger: DistributionLogger;
  /** Told after every batch that is in the store: how far the partition is, how many events that were, and from where. */
  readonly onThrough?: (partition: number, through: number, events: number, source: 'distribution' | 'log') => void;
  /** Told of every consumer that was replaced, with the reason. */
  readonly onReplaced?: (reason: string) => void;
  /** Told once when nothing more can be followed: WrongPartitions. Whatever may pass is waited for. */
  readonly onFailure: (failure: unknown) => void;
  /**
   * Milliseconds from one fetch to the next at least, while there is something to fetch: fewer and larger batches. What comes
   * after a rest is fetched at once. Default: none.
   */
  readonly gatherMs?: number;
  /** Milliseconds after which a consumer is replaced that cannot reach Kafka, or shows no sign of life. */
  readonly stuckMs?: number;
}

export interface Following {
  /** For each partition that is followed here, the position through which the store holds it. */
  positions(): ReadonlyMap<number, number>;
  /** Batches under way are finished and the group is left, so that others go on at once: within a second. */
  stop(): Promise<void>;
}
