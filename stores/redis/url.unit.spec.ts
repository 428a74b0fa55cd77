import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from './connection.ts';

describe('the URL of Redis', () => {
  it('names one server', () => {
    expect(parseRedisUrl('redis://127.0.0.1:7553')).toEqual({
      nodes: [{ host: '127.0.0.1', port: 7553 }],
      tls: false,
      database: 0,
      username: undefined,
      password: undefined,
    });
    expect(parseRedisUrl('redis://redis').nodes).toEqual([{ host: 'redis', port: 6379 }]);
    expect(parseRedisUrl('redis://[::1]:7000/').nodes).toEqual([{ host: '::1', port: 7000 }]);
  });

  it('names a database, credentials, TLS', () => {
    expect(parseRedisUrl('rediss://parley:p%40ss%2Fword@cache.example:6380/3')).toEqual({
      nodes: [{ host: 'cache.example', port: 6380 }],
      tls: true,
      database: 3,
      username: 'parley',
      password: 'p@ss/word',
    });
    expect(parseRedisUrl('redis://:secret@cache')).toMatchObject({ username: undefined, password: 'secret' });
  });

  it('names the nodes of a cluster', () => {
    expect(parseRedisUrl('redis://u:p@a:1,b:2,[::1]:3')).toMatchObject({
      nodes: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
        { host: '::1', port: 3 },
      ],
      username: 'u',
    });
  });

  it('is refused if invalid, without being repeated', () => {
    for (const url of ['redis://', 'http://a:1', 'redis://a:1,,b:2', 'redis://a:b:c', 'redis://u:hush@', 'redis://a/x'])
      expect(() => parseRedisUrl(url)).toThrow(/^Write redis/);
    expect(() => parseRedisUrl('redis://u:hush@a:1,b:2/4')).toThrow(/no databases/);
    expect(() => parseRedisUrl('redis://u:hush@')).not.toThrow(/hush/);
  });
});
