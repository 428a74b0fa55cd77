import type { Kafka, Producer } from 'kafkajs';
import type { Checkpoints } from '../../../coordination/port.ts';
import type { LogReader } from '../../../log/port.ts';
import { type Clock, within } from '../../../schemas/clock.ts';
import { StoreUnavailable } from '../../../schemas/errors.ts';
import { BUDGETS } from '../../../stores/budgets.ts';
import type { Watch } from '../../../stores/guard.ts';
import { ensureTopic, eventsTopic, kafkaOf } from '../../../stores/kafka/connection.ts';
import { classify } from '../../../stores/kafka/failures.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { Spans } from '../../../telemetry/spans.ts';
import type { PartitionRecord } from '../records.ts';
import { type Relay, RunningRelay } from '../relay.ts';

const RETRY_SECONDS = 1;

/** Upper bound of a record's overhead beside key and value, in bytes. */
const RECORD_BYTES = 100;

/**
 * Splits records into rounds, because brokers refuse batches that are too large. What a round sends to one partition
 * fits into one batch. Order within each partition is kept. A record larger than the limit goes alone.
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

/** The relay chooses the partition. */
const createPartitioner = () => (args: { message: { partition?: number } }) => args.message.partition!;

class Sender {
  private readonly kafka: Kafka;
  private readonly topic: string;
  private readonly partitions: number;
  private readonly clock: Clock;
  private readonly watch: Watch | undefined;
  private producer: Promise<Producer> | undefined;

  constructor(kafka: Kafka, namespace: string, partitions: number, clock: Clock, watch: Watch | undefined) {
    this.kafka = kafka;
    this.clock = clock;
    this.watch = watch;
    this.topic = eventsTopic(namespace);
    this.partitions = partitions;
  }

  /**
   * Sends all records, in order within each partition. On failure some may already be sent.
   * @throws WrongPartitions; any other failure: send the same records again before anything else
   */
  async send(records: readonly PartitionRecord[]): Promise<void> {
    try {
      const sent = this.sendAll(records).then(() => true);
      // kafkajs times its requests by the wall clock, so one that is under way when the clock is set back has no end.
      if ((await within(this.clock, BUDGETS.kafka.sendMs, sent)) === undefined)
        throw new Error('The send took too long');
      this.watch?.answered();
    } catch (failure) {
      await this.close();
      if (classify(failure) !== 'transient') throw failure;
      this.watch?.failed(failure, 'transient', false);
      throw new StoreUnavailable('kafka', RETRY_SECONDS, { cause: failure });
    }
  }

  private async sendAll(records: readonly PartitionRecord[]): Promise<void> {
    this.producer ??= this.connected();
    const producer = await this.producer;
    for (const messages of roundsOf(records))
      await producer.sendBatch({ topicMessages: [{ topic: this.topic, messages: [...messages] }] });
  }

  /** The topic may be missing. A new producer restarts its sequence numbers, so the broker does not reject them. */
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
      producer.then((one) => one.disconnect()).catch(() => {}),
    );
  }
}

export interface RelayOptions {
  readonly log: LogReader;
  /** Format: see `parseKafkaUrl`. */
  readonly url: string;
  readonly namespace: string;
  readonly partitions: number;
  readonly checkpoints: Checkpoints;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Is told whether the brokers answer. */
  readonly watch?: Watch;
  /** Called for each acknowledged batch. */
  readonly onRelayed?: (events: number, through: number) => void;
  /** Called for each event that Kafka refuses because it is too large. */
  readonly onLeftOut?: () => void;
  /** Absent when nothing is traced. */
  readonly spans?: Spans | undefined;
  /** Called once when the relay cannot continue: WrongPartitions. Failures that may pass are retried instead. */
  readonly onFailure: (failure: unknown) => void;
}

/**
 * Starts copying the log to the topic `<namespace>-events` and returns at once; waits for servers that are not up yet.
 * @throws TypeError if the URL is invalid
 */
export const startRelay = (options: RelayOptions): Relay => {
  const { log, url, namespace, partitions, checkpoints, logger, onRelayed, onLeftOut, spans, onFailure, clock, watch } =
    options;
  const sender = new Sender(kafkaOf(url, `${namespace}-relay`, logger), namespace, partitions, clock, watch);
  return new RunningRelay({
    log,
    partitions,
    checkpoints,
    clock,
    logger,
    send: (records) => sender.send(records),
    close: () => sender.close(),
    isFinal: (failure) => classify(failure) === 'damaged',
    isRefused: (failure) => classify(failure) === 'permanent',
    ...(onRelayed && { onRelayed }),
    ...(onLeftOut && { onLeftOut }),
    spans,
    onFailure,
  });
};
