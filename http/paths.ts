/** One spelling for each path, before routes are looked up. */

/** Every route of the API is below this. */
export const PREFIX = '/v1';

/** An escaped printable character of ASCII. */
const ESCAPED = /%(2[1-9a-f]|[3-6][\da-f]|7[\da-e])/gi;
/** They divide or end a path, or begin an escape, so they mean something else unescaped. */
const DIVIDERS = new Set(['/', '?', '#', '%']);

const decoded = (escaped: string, hex: string): string => {
  const character = String.fromCharCode(Number.parseInt(hex, 16));
  return DIVIDERS.has(character) ? escaped : character;
};

/** One escape after the other, or a `%` that begins none. */
const ESCAPES = /(?:%[\da-f]{2})+|%/gi;

/** As browsers have it, what cannot be decoded stands for itself. */
const readable = (escapes: string): string => {
  try {
    decodeURIComponent(escapes);
    return escapes;
  } catch {
    return escapes.replaceAll('%', '%25');
  }
};

/** What libraries call in place of `/v1`: this version, the one before, or no version. */
const DISCORDS = /^\/api\/v(9|10)(?=\/)|^\/api(?=\/(?!v\d+(\/|$)))/;

/** @param url path and query as sent; only the path is changed */
export const canonicalUrl = (url: string): string => {
  const end = url.indexOf('?');
  const path = end < 0 ? url : url.slice(0, end);
  const plain = path.includes('%') ? path.replace(ESCAPED, decoded).replace(ESCAPES, readable) : path;
  const versioned = plain.startsWith('/api/') ? plain.replace(DISCORDS, PREFIX) : plain;
  return end < 0 ? versioned : versioned + url.slice(end);
};
