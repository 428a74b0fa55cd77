/** Dead letters as records of a topic of their own, for whoever watches Kafka. */
import type { Kafka, Producer } from 'kafkajs';
import type { ParleyEvent } from '../../../schemas/events/index.ts';
import { ensureTopic } from '../../relay/kafka/index.ts';
import type { NewLetter } from '../port.ts';

export const deadLettersTopic = (namespace: string): string => `${namespace}-dead-letters`;

export class DeadLetterTopic {
  private readonly kafka: Kafka;
  private readonly topic: string;
  private producer: Promise<Producer> | undefined;

  constructor(kafka: Kafka, namespace: string) {
    this.kafka = kafka;
    this.topic = deadLettersTopic(namespace);
  }

  /** The event as it lies in the log; what happened to it in headers. May be there twice after a failure. */
  async publish(letter: NewLetter, event: ParleyEvent): Promise<void> {
    const { projection, stream, sequence, position, error, attempts } = letter;
    this.producer ??= this.connected();
    try {
      const producer = await this.producer;
      const headers = { error, attempts: String(attempts), source: `${stream}/${sequence}/${position}`, projection };
      const messages = [{ key: stream, value: JSON.stringify(event), headers }];
      await producer.send({ topic: this.topic, messages });
    } catch (failure) {
      await this.close();
      throw failure;
    }
  }

  private async connected(): Promise<Producer> {
    await ensureTopic(this.kafka, this.topic, 1);
    const createPartitioner = () => () => 0;
    const producer = this.kafka.producer({ createPartitioner, allowAutoTopicCreation: false });
    await producer.connect();
    return producer;
  }

  async close(): Promise<void> {
    const { producer } = this;
    this.producer = undefined;
    await producer?.then((one) => one.disconnect()).catch(() => {});
  }
}
