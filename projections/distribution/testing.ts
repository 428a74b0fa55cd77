/** For specs of the distribution log: topics of the spec's own on the shared Kafka, and their contents. */

import { randomBytes } from 'node:crypto';
import { type Admin, type EachMessagePayload, Kafka, logLevel } from 'kafkajs';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { urls } from '../../services/endpoints.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type PartitionRecord, parseEvent, parseTick, type Tick } from './records.ts';

export const randomNamespace = (): string => `t${randomBytes(6).toString('hex')}`;

export const silent: Logger = { debug: () => {}, warn: () => {}, error: () => {} };

const bareKafka = (url: string): Kafka => new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.NOTHING });

export const withAdmin = async <T>(work: (admin: Admin) => Promise<T>, url: string = urls.kafka): Promise<T> => {
  const admin = bareKafka(url).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
};

/** Deletes topics and groups. */
export const dropNamespace = (namespace: string, url?: string): Promise<void> =>
  withAdmin(async (admin) => {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${namespace}-`));
    if (topics.length > 0) await admin.deleteTopics({ topics });
    const { groups } = await admin.listGroups();
    const ours = groups.map(({ groupId }) => groupId).filter((group) => group.startsWith(`${namespace}-`));
    // A group whose members were killed is in use until their session ends.
    if (ours.length > 0) await admin.deleteGroups(ours).catch(() => {});
  }, url);

export interface RawRecord {
  readonly partition: number;
  readonly key: string | null;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** All records now in a topic, in order within each partition. */
export const rawContentsOf = async (topic: string, url: string = urls.kafka): Promise<readonly RawRecord[]> => {
  const ends = await withAdmin((admin) => admin.fetchTopicOffsets(topic), url);
  const filled = ends.filter(({ high, low }) => high !== low);
  const left = new Map(filled.map(({ partition, high }) => [partition, Number(high)]));
  const found: RawRecord[] = [];
  if (left.size === 0) return found;
  const consumer = bareKafka(url).consumer({ groupId: `${topic}-${randomNamespace()}`, maxWaitTimeInMs: 50 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ partition, message }: EachMessagePayload) => {
      const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
      const [key, value] = [message.key?.toString() ?? null, String(message.value)];
      found.push({ partition, key, value, headers: Object.fromEntries(headers) });
      if (Number(message.offset) + 1 >= (left.get(partition) ?? 0)) left.delete(partition);
      if (left.size === 0) resolve();
    };
    consumer.run({ autoCommit: false, eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return found;
};

export interface FoundRecord {
  readonly partition: number;
  readonly key: string | null;
  readonly event?: ParleyEvent;
  readonly tick?: Tick;
}

/** What a record of the relay contains. */
export const foundIn = ({ partition, key, value }: PartitionRecord): FoundRecord => ({
  partition,
  key,
  ...(key === null ? { tick: parseTick(value) } : { event: parseEvent(value) }),
});
