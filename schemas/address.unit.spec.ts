import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKey } from './address.ts';

describe('the address of a client', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    [' 203.0.113.7 ', '203.0.113.7'],
    ['203.0.113.7:51234', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::ffff:cb00:7107', '203.0.113.7'],
    ['[::ffff:203.0.113.7]:443', '203.0.113.7'],
    ['64:ff9b::203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]:443', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['::1', '::/64'],
    ['', 'unknown'],
    [undefined, 'unknown'],
    ['example.org', 'unknown'],
    ['203.0.113.7, 10.0.0.1', 'unknown'],
    ['999.1.1.1', 'unknown'],
  ])('%s is %s', (given, key) => {
    expect(addressKey(given)).toBe(key);
  });

  it('is the same over a whole IPv6 network, and another in the next', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 }), (host) => {
        const tail = host.map((part) => part.toString(16)).join(':');
        expect(addressKey(`2001:db8:1:2:${tail}`)).toBe('2001:db8:1:2::/64');
        expect(addressKey(`2001:db8:1:3:${tail}`)).not.toBe('2001:db8:1:2::/64');
      }),
    );
  });

  it('is short, whatever is given', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (given) => addressKey(given).length < 64));
  });
});
