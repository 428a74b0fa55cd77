/** The client of Kafka: how it connects, and how long it tries by itself. */
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type ISocketFactory, Kafka, type LogEntry, logLevel, type RetryOptions, type SASLOptions } from 'kafkajs';
import type { DistributionLogger } from '../port.ts';
import { parseKafkaUrl } from './url.ts';

const CONNECT_MS = 3000;
const REQUEST_MS = 10_000;
const KEEP_ALIVE_MS = 10_000;

/**
 * About five seconds. What is to go on longer is begun anew by those who called: kafkajs cannot be told to stop trying,
 * so a client without an end would go on after its owner.
 */
export const RETRY: RetryOptions = { initialRetryTime: 100, maxRetryTime: 1000, retries: 8 };

/** Without Nagle's delay: the last bytes of a large batch would wait for the acknowledgement of those before. */
const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket = ssl
    ? connectTls({ host, port, servername: host, ...ssl }, onConnect)
    : connectPlain({ host, port }, onConnect);
  return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
};

/** Failures that are tried again are kafkajs's errors; whoever gives up says so itself. */
const logTo =
  (logger: DistributionLogger) =>
  ({ namespace, level, log }: LogEntry): void => {
    const { message, timestamp: _, logger: __, stack: ___, ...fields } = log;
    const text = `kafka ${namespace}: ${message}`;
    if (level <= logLevel.WARN) logger.warn(fields, text);
    else logger.debug(fields, text);
  };

/** @throws TypeError when the URL is none. */
export const kafkaOf = (url: string, clientId: string, logger: DistributionLogger): Kafka => {
  const { brokers, tls, sasl } = parseKafkaUrl(url);
  return new Kafka({
    clientId,
    brokers: [...brokers],
    ssl: tls,
    ...(sasl === undefined ? {} : { sasl: sasl as SASLOptions }),
    connectionTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    retry: RETRY,
    socketFactory,
    logLevel: logLevel.WARN,
    logCreator: () => logTo(logger),
  });
};
