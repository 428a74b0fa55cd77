/** A cluster's own place on the shared test servers: databases, and a namespace for topics, keys and keyspace. */

import { randomBytes } from 'node:crypto';
import { Client as Cassandra } from 'cassandra-driver';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { Client as Postgres } from 'pg';
import { urls } from '../../services/endpoints.ts';
import { BUDGETS } from '../../stores/budgets.ts';

export type ServerUrls = Readonly<Record<keyof typeof urls, string>>;

export interface Namespace {
  readonly name: string;
  /** PARLEY_* variables of every process of the cluster. */
  readonly env: Readonly<Record<string, string>>;
  /** Removes everything with this name. */
  drop(): Promise<void>;
}

const onPostgres = async (url: string, statement: string): Promise<void> => {
  const client = new Postgres({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
};

const database = (url: string, name: string): string => url.replace(/\/[^/]*$/, `/${name}`);

const dropTopics = async (url: string, name: string): Promise<void> => {
  const admin = new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${name}-`));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  } finally {
    await admin.disconnect();
  }
};

const dropKeys = async (url: string, name: string): Promise<void> => {
  const redis = new Redis(url);
  try {
    for await (const keys of redis.scanStream({ match: `*${name}:*`, count: 1000 }))
      if ((keys as string[]).length > 0) await redis.unlink(keys as string[]);
  } finally {
    redis.disconnect();
  }
};

const dropKeyspace = async (url: string, name: string): Promise<void> => {
  const client = new Cassandra({
    contactPoints: [new URL(url).host],
    localDataCenter: 'datacenter1',
    socketOptions: { readTimeout: BUDGETS.cassandra.schema.triedMs },
  });
  try {
    await client.execute(`DROP KEYSPACE IF EXISTS ${name}`);
  } finally {
    await client.shutdown();
  }
};

export const createNamespace = async (servers: ServerUrls = urls): Promise<Namespace> => {
  const name = `t${randomBytes(5).toString('hex')}`;
  const onBoth = (statement: string) =>
    Promise.all([servers.postgres, servers.views].map((url) => onPostgres(url, statement)));
  await onBoth(`CREATE DATABASE ${name}`);
  return {
    name,
    env: {
      PARLEY_PROFILE: 'cluster',
      PARLEY_LOG: 'postgres',
      PARLEY_LOG_URL: database(servers.postgres, name),
      PARLEY_VAULT_URL: database(servers.postgres, name),
      PARLEY_VIEWS_URL: database(servers.views, name),
      PARLEY_REDIS_URL: servers.redis,
      PARLEY_KAFKA_URL: servers.kafka,
      PARLEY_CASSANDRA_URL: servers.cassandra,
      PARLEY_NAMESPACE: name,
      PARLEY_PARTITIONS: '4',
    },
    drop: async () => {
      await Promise.all([
        dropTopics(servers.kafka, name),
        dropKeys(servers.redis, name),
        dropKeyspace(servers.cassandra, name),
        onBoth(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
      ]);
    },
  };
};
