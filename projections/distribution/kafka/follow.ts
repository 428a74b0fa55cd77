/** Follows the distribution log with one consumer after another. */

import type { Kafka, Producer } from 'kafkajs';
import { reasonOf } from '../../../stores/guard.ts';
import { ensureTopic, kafkaOf } from '../../../stores/kafka/connection.ts';
import { classify } from '../../../stores/kafka/failures.ts';
import { type NewLetter, PoisonedStreams } from '../../engine/dead-letters/port.ts';
import type { Place } from '../../engine/port.ts';
import type { Following } from '../assignment.ts';
import { GroupConsumer, type KafkaFollowOptions } from './consumer.ts';

/** Publishes dead letters to a separate topic, for anyone who watches Kafka. */
export const deadLettersTopic = (namespace: string): string => `${namespace}-dead-letters`;

class DeadLetterTopic {
  private readonly kafka: Kafka;
  private readonly topic: string;
  private producer: Promise<Producer> | undefined;

  constructor(kafka: Kafka, namespace: string) {
    this.kafka = kafka;
    this.topic = deadLettersTopic(namespace);
  }

  /**
   * The event exactly as in the log, with details of the failure in headers. After a failed send it may be there twice.
   */
  async publish(letter: NewLetter, event: Place): Promise<void> {
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

const PAUSE_MS = 500;

/**
 * Starts following and returns at once; waits for servers that are not up yet.
 * @throws TypeError if the URL is invalid
 */
export const followPartitions = (options: KafkaFollowOptions): Following => {
  const { url, namespace, group, logger, deadLetters, onDeadLetter, onReplaced, onFailure, clock } = options;
  const kafka = kafkaOf(url, `${namespace}-${group}`, logger);
  const stopping = new AbortController();
  const topic = new DeadLetterTopic(kafka, namespace);
  const poisoned =
    deadLetters &&
    new PoisonedStreams({
      letters: deadLetters,
      projection: group,
      publish: (letter, event) => topic.publish(letter, event),
      ...(onDeadLetter && { onDeadLetter }),
    });
  let confirmed = clock.monotonic();
  const newMember = () =>
    new GroupConsumer(options, poisoned, () => {
      confirmed = clock.monotonic();
    });
  let member = newMember();

  const supervise = async (): Promise<void> => {
    for (;;) {
      member.start();
      const failure = await Promise.race([member.ended, aborted]);
      if (stopping.signal.aborted) return;
      await member.stop();
      if (classify(failure) === 'damaged') return onFailure(failure);
      logger.warn({ err: failure, group }, 'a consumer is replaced');
      onReplaced?.(reasonOf(failure), group);
      await clock.delay(PAUSE_MS, stopping.signal);
      if (stopping.signal.aborted) return;
      member = newMember();
    }
  };

  const aborted = new Promise<undefined>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const supervised = supervise();
  return {
    group,
    positions: () => member.positions(),
    unconfirmedMs: () => clock.monotonic() - confirmed,
    async stop() {
      stopping.abort();
      await member.stop();
      await supervised;
      await topic.close();
    },
  };
};
