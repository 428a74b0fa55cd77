import type { Kafka, Producer } from 'kafkajs';
import type { Checkpoints } from '../../../coordination/port.ts';
import type { LogReader } from '../../../log/port.ts';
import { type Clock, systemClock, within } from '../../../schemas/clock.ts';
import { BUDGETS } from '../../../stores/budgets.ts';
import { ensureTopic, eventsTopic, kafkaOf } from '../../../stores/kafka/connection.ts';
import { classify } from '../../../stores/kafka/failures.ts';
import type { DistributionLogger } from '../../../telemetry/logger.ts';
import type { Spans } from '../../../telemetry/spans.ts';
import type { PartitionRecord } from '../records.ts';
import { type Relay, RunningRelay } from '../relay.ts';

/** Of a record besides its key and value, at most. */
const RECORD_BYTES = 100;

/**
 * In rounds, since brokers refuse a batch that is too large: what one partition is given in a round fits into one batch. The
 * order within each partition stays. A record that is larger by itself goes alone.
 */
export const roundsOf = (
  records: readonly PartitionRecord[],
  most: number = BUDGETS.kafka.batchBytes,
): readonly (readonly PartitionRecord[])[] => {
  const rounds: PartitionRecord[][] = [[]];
  let sizes = new Map<number, number>();
  for (const record of records) {
    const { partition, key, value } = record;
    const bytes = RECORD_BYTES + Buffer.byteLength(key ?? '') + Buffer.byteLength(value);
    const before = sizes.get(partition) ?? 0;
    if (before > 0 && before + bytes > most) {
      rounds.push([]);
      sizes = new Map();
    }
    sizes.set(partition, (sizes.get(partition) ?? 0) + bytes);
    rounds.at(-1)!.push(record);
  }
  return rounds;
};

/** Sends batches one after another, each for as long as it takes. */
/** The partition is chosen by the relay. */
const createPartitioner = () => (args: { message: { partition?: number } }) => args.message.partition!;

class Sender {
  private readonly kafka: Kafka;
  private readonly topic: string;
  private readonly partitions: number;
  private readonly clock: Clock;
  private producer: Producer | undefined;

  constructor(kafka: Kafka, namespace: string, partitions: number, clock: Clock) {
    this.kafka = kafka;
    this.clock = clock;
    this.topic = eventsTopic(namespace);
    this.partitions = partitions;
  }

  /**
   * All of it, in order within each partition; after a failure perhaps some of it already.
   * @throws WrongPartitions; and whatever made it fail: send the same again before anything else.
   */
  async send(records: readonly PartitionRecord[]): Promise<void> {
    try {
      this.producer ??= await this.connected();
      for (const messages of roundsOf(records))
        await this.producer.sendBatch({ topicMessages: [{ topic: this.topic, messages: [...messages] }] });
    } catch (failure) {
      await this.close();
      throw failure;
    }
  }

  /** The topic may be gone, or not yet there. A new producer begins its numbering anew, so nothing of the old one is in its way. */
  private async connected(): Promise<Producer> {
    await ensureTopic(this.kafka, this.topic, this.partitions);
    const producer = this.kafka.producer({ idempotent: true, createPartitioner, allowAutoTopicCreation: false });
    await producer.connect();
    return producer;
  }

  async close(): Promise<void> {
    const { producer } = this;
    this.producer = undefined;
    if (producer === undefined) return;
    await within(
      this.clock,
      BUDGETS.kafka.stopMs,
      producer.disconnect().catch(() => {}),
    );
  }
}

export interface RelayOptions {
  readonly log: LogReader;
  /** `parseKafkaUrl` says which. */
  readonly url: string;
  readonly namespace: string;
  readonly partitions: number;
  readonly checkpoints: Checkpoints;
  readonly logger: DistributionLogger;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Told of every acknowledged batch. */
  readonly onRelayed?: (events: number, through: number) => void;
  /** Left out where nothing is traced. */
  readonly spans?: Spans | undefined;
  /** Told once when it cannot go on: WrongPartitions. Whatever may pass is waited for. */
  readonly onFailure: (failure: unknown) => void;
}

/**
 * Begins to copy the log into the topic `<namespace>-events`. Returns at once, and waits for servers that are not there.
 * @throws TypeError when the URL is none.
 */
export const startRelay = (options: RelayOptions): Relay => {
  const {
    log,
    url,
    namespace,
    partitions,
    checkpoints,
    logger,
    onRelayed,
    spans,
    onFailure,
    clock = systemClock,
  } = options;
  const sender = new Sender(kafkaOf(url, `${namespace}-relay`, logger), namespace, partitions, clock);
  return new RunningRelay({
    log,
    partitions,
    checkpoints,
    clock,
    logger,
    send: (records) => sender.send(records),
    close: () => sender.close(),
    isFinal: (failure) => classify(failure) === 'damaged',
    ...(onRelayed && { onRelayed }),
    spans,
    onFailure,
  });
};
