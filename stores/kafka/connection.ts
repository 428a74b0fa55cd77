/** The Kafka client: how it connects, and how long it retries by itself. */

import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  type Admin,
  type ISocketFactory,
  Kafka,
  type LogEntry,
  logLevel,
  type RetryOptions,
  type SASLOptions,
} from 'kafkajs';
import type { Logger } from '../../telemetry/logger.ts';
import { BUDGETS } from '../budgets.ts';
import { addressOf, parseServers } from '../urls.ts';
import { WrongPartitions } from './failures.ts';
import './fetch.ts';
import './numbers.ts';
import './produce.ts';
import './request-queue.ts';

/** The topics of one installation. */
export const eventsTopic = (namespace: string): string => `${namespace}-events`;

const partitionsOf = async (admin: Admin, topic: string): Promise<number> => {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return topics[0]!.partitions.length;
};

/**
 * Creates the topic if missing, with as many copies as the broker's `default.replication.factor`.
 * @throws WrongPartitions when it exists with another number of partitions.
 */
export const ensureTopic = async (kafka: Kafka, topic: string, partitions: number): Promise<void> => {
  const admin = kafka.admin();
  try {
    await admin.connect();
    // A request for the metadata of a missing topic would fail only after many tries.
    if (!(await admin.listTopics()).includes(topic)) {
      // The brokers' clock dates the records: they refuse those of a clock that is an hour ahead of theirs.
      const configEntries = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }];
      // False when another process was faster.
      const topics = [{ topic, numPartitions: partitions, configEntries }];
      await admin.createTopics({ topics, waitForLeaders: true });
    }
    const actual = await partitionsOf(admin, topic);
    if (actual !== partitions) throw new WrongPartitions(topic, actual, partitions);
  } finally {
    await admin.disconnect();
  }
};

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
type Mechanism = (typeof MECHANISMS)[number];

interface KafkaUrl {
  /** `host:port` of the brokers to contact first. */
  readonly brokers: readonly string[];
  /** `kafkas://` */
  readonly tls: boolean;
  readonly sasl: { readonly mechanism: Mechanism; readonly username: string; readonly password: string } | undefined;
}

/** @throws TypeError for an invalid URL. The message never repeats the URL, which may contain a password. */
export const parseKafkaUrl = (url: string): KafkaUrl => {
  const { scheme, servers, username, password, options } = parseServers(url, {
    form: 'kafka://[user:password@]host:port[,host:port][?sasl=scram-sha-512], or kafkas:// for TLS',
    schemes: ['kafka', 'kafkas'],
    options: ['sasl'],
  });
  const named = options.get('sasl') ?? 'plain';
  const mechanism = MECHANISMS.find((known) => known === named);
  if (mechanism === undefined) throw new TypeError(`sasl is one of ${MECHANISMS.join(', ')}`);
  if (options.has('sasl') && username === undefined) throw new TypeError('sasl needs a user and a password');
  return {
    brokers: servers.map(addressOf),
    tls: scheme === 'kafkas',
    sasl: username === undefined ? undefined : { mechanism, username, password: password ?? '' },
  };
};

const budgets = BUDGETS.kafka;

/**
 * Limits retries. kafkajs cannot be told to stop, so a client that retries without end would outlive its owner. Callers
 * that want to go on longer start again.
 * @param patienceMs approximate time to retry, in milliseconds
 */
export const retryFor = (patienceMs: number): RetryOptions => ({
  initialRetryTime: budgets.firstPauseMs,
  maxRetryTime: budgets.longestPauseMs,
  // The first four pauses together take 1.5 s.
  retries: Math.ceil(3 + patienceMs / budgets.longestPauseMs),
});

/** Without Nagle's algorithm, which delays the last bytes of a large batch until earlier ones are acknowledged. */
const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket = ssl
    ? connectTls({ host, port, servername: host, ...ssl }, onConnect)
    : connectPlain({ host, port }, onConnect);
  return socket.setNoDelay(true).setKeepAlive(true, budgets.keepAliveMs);
};

/** kafkajs retries most of what it logs as errors; code that gives up reports it itself. */
const logTo =
  (logger: Logger) =>
  ({ namespace, log }: LogEntry): void => {
    const { message, timestamp: _, logger: __, stack: ___, ...fields } = log;
    logger.debug(fields, `kafka ${namespace}: ${message}`);
  };

/** @throws TypeError for an invalid URL. */
export const kafkaOf = (
  url: string,
  clientId: string,
  logger: Logger,
  patienceMs: number = budgets.patienceMs,
): Kafka => {
  const { brokers, tls, sasl } = parseKafkaUrl(url);
  return new Kafka({
    clientId,
    brokers: [...brokers],
    ssl: tls,
    ...(sasl === undefined ? {} : { sasl: sasl as SASLOptions }),
    connectionTimeout: budgets.connectMs,
    requestTimeout: budgets.requestMs,
    retry: retryFor(patienceMs),
    socketFactory,
    logLevel: logLevel.WARN,
    logCreator: () => logTo(logger),
  });
};
