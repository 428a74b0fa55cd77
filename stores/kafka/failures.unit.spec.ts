import {
  KafkaJSConnectionError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
} from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { classify, WrongPartitions } from './failures.ts';

const answered = (type: string, code: number) =>
  new KafkaJSProtocolError(Object.assign(new Error(type), { type, code, retriable: false }));

describe('a failure of Kafka', () => {
  it.each([
    ['NOT_LEADER_FOR_PARTITION', 6],
    ['REBALANCE_IN_PROGRESS', 27],
    ['NOT_ENOUGH_REPLICAS', 19],
    ['TOPIC_AUTHORIZATION_FAILED', 29],
    ['A_TYPE_THAT_NOBODY_KNOWS', 999],
  ])('%s is transient', (type, code) => expect(classify(answered(type, code))).toBe('transient'));

  it.each([
    ['MESSAGE_TOO_LARGE', 10],
    ['RECORD_LIST_TOO_LARGE', 18],
    ['INVALID_RECORD', 87],
  ])('%s is permanent, since it speaks of the records', (type, code) => {
    const failure = answered(type, code);
    expect(classify(failure)).toBe('permanent');
    expect(classify(Object.assign(new KafkaJSNonRetriableError('given up'), { cause: failure }))).toBe('permanent');
  });

  it('is transient if brokers did not answer, however often they were asked', () => {
    for (const failure of [
      new KafkaJSConnectionError('refused'),
      new KafkaJSRequestTimeoutError('too slow'),
      new KafkaJSNumberOfRetriesExceeded('gone', { retryCount: 9, retryTime: 1000 }),
      Object.assign(new Error('wrong password'), { name: 'KafkaJSSASLAuthenticationError' }),
      new Error('so'),
      undefined,
    ])
      expect(classify(failure)).toBe('transient');
  });

  it('is damage if the topic has another number of partitions, and a bug before anything was sent', () => {
    expect(classify(new WrongPartitions('chat-events', 8, 16))).toBe('damaged');
    expect(classify(new TypeError('no'))).toBe('bug');
  });
});
