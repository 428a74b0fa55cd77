import { KafkaJSConnectionError, KafkaJSSASLAuthenticationError } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { PlainGuard } from '../../stores/guard.ts';
import { WrongPartitions } from '../../stores/kafka/failures.ts';
import * as postgres from '../../stores/postgres/failures.ts';
import { kafkaIsUnavailable, reach } from './reach.ts';

// Its type says that it takes nothing.
const LoginRefused = KafkaJSSASLAuthenticationError as unknown as new (message: string) => Error;

const redis = {
  name: 'Redis',
  variable: 'PARLEY_REDIS_URL',
  url: 'redis://someone:secret@10.0.0.1:6379,10.0.0.2:6379/0',
};

const failing = (failures: readonly unknown[]) => {
  const left = [...failures];
  return async () => {
    if (left.length > 0) throw left.shift();
    return 'open';
  };
};

describe('a server that is not reachable yet', () => {
  it('is reported with its variable, address and reason, but never its password, until it answers', async () => {
    const lines: string[] = [];
    const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:6379'), { code: 'ECONNREFUSED' });
    const opened = await reach(
      redis,
      failing([1, 2].map(() => new StoreUnavailable('redis', 1, { cause: refused }))),
      (line) => lines.push(line),
      systemClock,
    );
    expect(opened).toBe('open');
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).toMatch(
        /^Redis \(PARLEY_REDIS_URL\) cannot be reached at 10\.0\.0\.1:6379,10\.0\.0\.2:6379: connect ECONNREFUSED 10\.0\.0\.1:6379\. Parley waits for it and tries again in \d\.\d s\.$/,
      );
      expect(line).not.toContain('secret');
    }
  });

  const answered = (code: string) => Object.assign(new Error('refused'), { severity: 'FATAL', code });
  /** As everything that is asked of PostgreSQL is. */
  const guarded = (failure: unknown) => {
    const ask = failing([failure]);
    return () => new PlainGuard('vault', 1, postgres.classify).run(ask);
  };

  it.each([
    ['is starting', answered('57P03')],
    ['has too many connections', answered('53300')],
    ['does not answer in time', new Error('timeout expired')],
    ['refuses on each of two addresses', new AggregateError([new Error('one'), new Error('other')], '')],
  ])('is waited for when it %s', async (_, failure) => {
    const lines: string[] = [];
    await expect(reach(redis, guarded(failure), (line) => lines.push(line), systemClock)).resolves.toBe('open');
    expect(lines).toHaveLength(1);
  });

  it.each([
    ['a wrong password', answered('28P01')],
    ['a database that does not exist', answered('3D000')],
  ])('is not waited for with %s', async (_, failure) => {
    await expect(reach(redis, guarded(failure), () => {}, systemClock)).rejects.toBe(failure);
  });

  it('is not waited for with a log of a newer Parley', async () => {
    const failure = new Error('The event log has format 9, made after a connection timeout');
    await expect(reach(redis, failing([failure]), () => {}, systemClock)).rejects.toBe(failure);
  });

  it('is waited for when it is Kafka that does not answer', async () => {
    const failure = new KafkaJSConnectionError('Connection error');
    await expect(reach(redis, failing([failure]), () => {}, systemClock, kafkaIsUnavailable)).resolves.toBe('open');
  });

  it.each([
    ['a wrong password', new LoginRefused('no')],
    ['another number of partitions', new WrongPartitions('events', 4, 8)],
  ])('is not waited for when it is Kafka with %s', async (_, failure) => {
    await expect(reach(redis, failing([failure]), () => {}, systemClock, kafkaIsUnavailable)).rejects.toBe(failure);
  });
});
