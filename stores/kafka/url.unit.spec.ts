import { describe, expect, it } from 'vitest';
import { parseKafkaUrl } from './connection.ts';

describe('a kafka URL', () => {
  it('may name a single broker', () => {
    expect(parseKafkaUrl('kafka://127.0.0.1:9092')).toEqual({
      brokers: ['127.0.0.1:9092'],
      tls: false,
      sasl: undefined,
    });
  });

  it('names brokers, credentials, their mechanism and TLS', () => {
    expect(parseKafkaUrl('kafkas://ann:p%40ss@one:9092,[::1]:9093/?sasl=scram-sha-512')).toEqual({
      brokers: ['one:9092', '[::1]:9093'],
      tls: true,
      sasl: { mechanism: 'scram-sha-512', username: 'ann', password: 'p@ss' },
    });
  });

  it('uses the plain mechanism for credentials by default', () => {
    expect(parseKafkaUrl('kafkas://ann:x@one:1').sasl?.mechanism).toBe('plain');
  });

  it.each([
    'kafka://',
    'kafka://one',
    'redis://one:1',
    'kafka://one:1,',
    'kafka://one:1?dc=x',
    'kafka://ann:x@one:1?sasl=kerberos',
    'kafka://one:1?sasl=plain',
  ])('is refused when it is %s', (url) => expect(() => parseKafkaUrl(url)).toThrow(TypeError));

  it('is refused without its password in the message', () => {
    expect(() => parseKafkaUrl('kafka://ann:secret@one')).toThrow(/^(?!.*secret)/);
  });
});
