/** The topics of one installation. */
import type { Admin, Kafka } from 'kafkajs';
import { WrongPartitions } from '../port.ts';

export const eventsTopic = (namespace: string): string => `${namespace}-events`;

const partitionsOf = async (admin: Admin, topic: string): Promise<number> => {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return topics[0]!.partitions.length;
};

/**
 * Creates it when it is missing, with as many copies as the broker's `default.replication.factor` says.
 * @throws WrongPartitions when it is there with another number of partitions.
 */
export const ensureTopic = async (kafka: Kafka, topic: string, partitions: number): Promise<void> => {
  const admin = kafka.admin();
  try {
    await admin.connect();
    // Asking for the metadata of a topic that is not there would be answered with an error only after many tries.
    if (!(await admin.listTopics()).includes(topic)) {
      // False when another process was faster.
      await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
    }
    const actual = await partitionsOf(admin, topic);
    if (actual !== partitions) throw new WrongPartitions(topic, actual, partitions);
  } finally {
    await admin.disconnect();
  }
};
