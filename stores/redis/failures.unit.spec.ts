import { ReplyError } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { classify } from './failures.ts';

// ioredis does not type the constructor of its errors.
const Answer = ReplyError as unknown as new (message: string) => Error;

describe('a failure of Redis', () => {
  it.each([
    'LOADING Redis is loading the dataset in memory',
    'MASTERDOWN Link with MASTER is down',
    'CLUSTERDOWN The cluster is down',
    "READONLY You can't write against a read only replica.",
    'TRYAGAIN Multiple keys request during rehashing of slot',
    'BUSY Redis is busy running a script',
    "OOM command not allowed when used memory > 'maxmemory'. script: 1f, on @user_script:3.",
    'MISCONF Redis is configured to save RDB snapshots',
    'NOREPLICAS Not enough good replicas to write.',
    'MOVED 3999 127.0.0.1:6381',
  ])('is transient: %s', (message) => expect(classify(new Answer(message))).toBe('transient'));

  it.each([
    'ERR user_script:7: attempt to compare nil with number script: 1f, on @user_script:7.',
    'ERR Error running script, on @user_script:7',
  ])('is permanent where a script stumbles over its values: %s', (message) =>
    expect(classify(new Answer(message))).toBe('permanent'),
  );

  it.each([
    'WRONGTYPE Operation against a key holding the wrong kind of value',
    'NOAUTH Authentication required.',
    'WRONGPASS invalid username-password pair',
    "NOPERM this user has no permissions to run the 'set' command",
    "ERR unknown command 'HSETEX'",
    'NEWWORD unknown to us',
  ])('is damage, which waiting does not mend: %s', (message) => expect(classify(new Answer(message))).toBe('damaged'));

  it('is transient if the server did not answer', () => {
    for (const failure of [new Error('Command timed out'), new StoreUnavailable('unread', 1), undefined])
      expect(classify(failure)).toBe('transient');
  });

  it('is a bug before anything was sent', () => {
    expect(classify(new TypeError('no'))).toBe('bug');
    expect(classify(new RangeError('no'))).toBe('bug');
  });
});
