/** The client of Kafka: how it connects, and how long it tries by itself. */
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type ISocketFactory, Kafka, type LogEntry, logLevel, type RetryOptions, type SASLOptions } from 'kafkajs';
import type { DistributionLogger } from '../port.ts';
import { parseKafkaUrl } from './url.ts';

const CONNECT_MS = 3000;
const REQUEST_MS = 10_000;
const KEEP_ALIVE_MS = 10_000;

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1000;
const PATIENCE_MS = 5000;

/**
 * What is to go on longer is begun anew by those who called: kafkajs cannot be told to stop trying, so a client without an end
 * would go on after its owner.
 * @param patienceMs how long it is tried, about.
 */
export const retryFor = (patienceMs: number): RetryOptions => ({
  initialRetryTime: FIRST_PAUSE_MS,
  maxRetryTime: LONGEST_PAUSE_MS,
  // The first four pauses together take 1.5 s.
  retries: Math.ceil(3 + patienceMs / LONGEST_PAUSE_MS),
});

/** Without Nagle's delay: the last bytes of a large batch would wait for the acknowledgement of those before. */
const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket = ssl
    ? connectTls({ host, port, servername: host, ...ssl }, onConnect)
    : connectPlain({ host, port }, onConnect);
  return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
};

/** Most of what kafkajs calls an error is tried again; whoever gives up says so itself. */
const logTo =
  (logger: DistributionLogger) =>
  ({ namespace, log }: LogEntry): void => {
    const { message, timestamp: _, logger: __, stack: ___, ...fields } = log;
    logger.debug(fields, `kafka ${namespace}: ${message}`);
  };

/** @throws TypeError when the URL is none. */
export const kafkaOf = (
  url: string,
  clientId: string,
  logger: DistributionLogger,
  patienceMs: number = PATIENCE_MS,
): Kafka => {
  const { brokers, tls, sasl } = parseKafkaUrl(url);
  return new Kafka({
    clientId,
    brokers: [...brokers],
    ssl: tls,
    ...(sasl === undefined ? {} : { sasl: sasl as SASLOptions }),
    connectionTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    retry: retryFor(patienceMs),
    socketFactory,
    logLevel: logLevel.WARN,
    logCreator: () => logTo(logger),
  });
};
