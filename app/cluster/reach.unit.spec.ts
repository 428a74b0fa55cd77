import { describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { reach } from './connections.ts';

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
      failing([refused, new StoreUnavailable('redis', 1, { cause: refused })]),
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

  it.each([
    ['is starting', Object.assign(new Error('the database system is starting up'), { code: '57P03' })],
    ['has no such database yet', Object.assign(new Error('database does not exist'), { code: '3D000' })],
    ['let the time pass', new Error('timeout expired')],
    ['answered on one of two addresses', new AggregateError([new Error('first')], '')],
  ])('is waited for when it %s', async (_, failure) => {
    const code = failure instanceof AggregateError ? Object.assign(failure, { code: 'ECONNREFUSED' }) : failure;
    await expect(reach(redis, failing([code]), () => {}, systemClock)).resolves.toBe('open');
  });

  it.each([
    ['a wrong password', Object.assign(new Error('password authentication failed'), { code: '28P01' })],
    ['a log of a newer Parley', new Error('The event log has format 9')],
  ])('is not waited for with %s', async (_, failure) => {
    await expect(reach(redis, failing([failure]), () => {}, systemClock)).rejects.toBe(failure);
  });
});
