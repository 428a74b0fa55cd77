import { describe, expect, it } from 'vitest';
import { keyspaceOf, parseCassandraUrl } from './connection.ts';

describe('a cassandra URL', () => {
  it('may name a single node', () => {
    expect(parseCassandraUrl('cassandra://127.0.0.1:9042')).toEqual({
      contactPoints: ['127.0.0.1:9042'],
      localDataCenter: 'datacenter1',
      tls: false,
      credentials: undefined,
    });
  });

  it('names nodes, credentials, data centre and TLS', () => {
    expect(parseCassandraUrl('cassandra://ann:p%40ss@one:9042,[::1]:9043/?dc=east&tls=true')).toEqual({
      contactPoints: ['one:9042', '[::1]:9043'],
      localDataCenter: 'east',
      tls: true,
      credentials: { username: 'ann', password: 'p@ss' },
    });
  });

  it.each(['cassandra://', 'cassandra://one', 'redis://one:1', 'cassandra://one:1,', 'cassandra://one:1?data=x'])(
    'is refused when it is %s',
    (url) => expect(() => parseCassandraUrl(url)).toThrow(TypeError),
  );

  it('is refused without its password in the message', () => {
    expect(() => parseCassandraUrl('cassandra://ann:secret@one')).toThrow(/^(?!.*secret)/);
  });
});

describe('a keyspace', () => {
  it('is named after the namespace', () => {
    expect(keyspaceOf('parley')).toBe('parley');
    expect(keyspaceOf('test-2')).toBe('test_2');
  });

  it.each(['', '2nd', 'Parley', 'a;b', 'a'.repeat(49)])('cannot be named "%s"', (namespace) => {
    expect(() => keyspaceOf(namespace)).toThrow(TypeError);
  });
});
