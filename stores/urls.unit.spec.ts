import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, hostsOf, parseServers } from './urls.ts';

const FORM = 'many://[user:password@]host:port[,host:port][/name][?size=1]';
const shape = { form: FORM, schemes: ['many', 'manys'], path: /^[a-z]*$/, options: ['size', 'tls'] };

describe('a URL of several servers', () => {
  it('is parsed back to its parts, whatever user and password contain', () => {
    const host = fc.constantFrom('one', 'two.example', '10.0.0.1', '::1', 'fe80::2');
    const server = fc.record({ host, port: fc.integer({ min: 1, max: 65_535 }) });
    const word = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text === Buffer.from(text).toString());
    fc.assert(
      fc.property(
        fc.constantFrom('many', 'manys'),
        fc.array(server, { minLength: 1, maxLength: 5 }),
        fc.option(fc.tuple(word, word)),
        (scheme, servers, login) => {
          const who = login === null ? '' : `${login.map(encodeURIComponent).join(':')}@`;
          const read = parseServers(`${scheme}://${who}${servers.map(addressOf).join(',')}/name?size=3`, shape);
          expect(read).toEqual({
            scheme,
            servers,
            username: login?.[0],
            password: login?.[1],
            path: 'name',
            options: new Map([['size', '3']]),
          });
        },
      ),
    );
  });

  it('gives hosts without a port the default one, if there is one', () => {
    const read = parseServers('many://one,two:2', { ...shape, port: 7 });
    expect(read.servers.map(addressOf)).toEqual(['one:7', 'two:2']);
    expect(() => parseServers('many://one', shape)).toThrow(`Write ${FORM}`);
  });

  it.each([
    'many://',
    'many:one:1',
    'few://one:1',
    'many://one:1,,two:2',
    'many://one:1:2',
    'many://one:1/UP',
    'many://:secret@one:1',
    'many://ann:secret@',
    'many://ann:secret@one:1@two:2',
  ])('is refused with how to write it when it is %s', (url) => {
    expect(() => parseServers(url, shape)).toThrow(new TypeError(`Write ${FORM}`));
  });

  it('is refused with a list of its allowed options', () => {
    expect(() => parseServers('many://one:1?colour=red', shape)).toThrow(
      'many:// has the options size and tls, not colour',
    );
    expect(() => parseServers('many://one:1?size=1', { ...shape, options: [] })).toThrow('many:// has no options');
  });

  it('is refused without its password in the message', () => {
    for (const url of ['many://ann:secret@one', 'many://ann:secret%@one:1', 'many://ann:secret@one:1?a=b'])
      expect(() => parseServers(url, shape)).toThrow(/^(?!.*secret)/);
    expect(() => parseServers('many://ann:secret%@one:1', shape)).toThrow('is written %25');
  });
});

it('only the hosts of a URL are shown', () => {
  expect(hostsOf('postgres://ann:secret@one:5432/parley?sslmode=require')).toBe('one:5432');
  expect(hostsOf('esdb+discover://ann:secret@one:1,two:2?tls=false')).toBe('one:1,two:2');
  expect(hostsOf('kafka://one:1')).toBe('one:1');
});
