/** Sends batches one after another, each for as long as it takes. */
import type { Kafka, Producer } from 'kafkajs';
import type { PartitionRecord } from '../batching.ts';
import { ensureTopic, eventsTopic } from './topics.ts';

const STOP_MS = 1000;

/** The partition is chosen by the relay. */
const createPartitioner = () => (args: { message: { partition?: number } }) => args.message.partition!;

export class Sender {
  private readonly kafka: Kafka;
  private readonly topic: string;
  private readonly partitions: number;
  private producer: Producer | undefined;

  constructor(kafka: Kafka, namespace: string, partitions: number) {
    this.kafka = kafka;
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
      await this.producer.sendBatch({ topicMessages: [{ topic: this.topic, messages: [...records] }] });
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
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_MS);
    });
    await Promise.race([producer.disconnect().catch(() => {}), late]);
    clearTimeout(timer);
  }
}
