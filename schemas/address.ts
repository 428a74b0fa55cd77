/** Addresses of clients, in the one form that limits and log lines know them by. */

import ipaddr from 'ipaddr.js';

/** `1.2.3.4:80`, `[::1]:80` and `fe80::1%eth0` without what is not the address. */
const bare = (given: string): string => {
  const trimmed = given.trim();
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(trimmed)?.[1];
  const withPort = /^([\d.]+):\d+$/.exec(trimmed)?.[1];
  return (bracketed ?? withPort ?? trimmed).replace(/%.*$/, '');
};

/** One network belongs to one customer: whoever has a /64 has all of its addresses. */
const NETWORK_BYTES = 8;

const v6Key = (address: ipaddr.IPv6): string => {
  const bytes = address.toByteArray();
  // An IPv4 address behind a translator (64:ff9b::/96).
  if (address.range() === 'rfc6052') return bytes.slice(12).join('.');
  const network = bytes.map((byte, at) => (at < NETWORK_BYTES ? byte : 0));
  return `${new ipaddr.IPv6(network).toString()}/64`;
};

/**
 * One form for all addresses of one client: an IPv4 address however it is written (`::ffff:`, with a port), an IPv6
 * network of 64 bits. What is no address is `unknown`, so that it has one limit in common.
 * @param given absent when the connection was reset before it was asked: fastify's `request.ip` then is `undefined`
 */
export const addressKey = (given: string | undefined): string => {
  const address = bare(given ?? '');
  if (!ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? v6Key(parsed) : parsed.toString();
};
