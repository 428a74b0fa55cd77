/** JSON that a client sends, over HTTP as in a frame: its long numbers, and its limits. */

import { randomUUID } from 'node:crypto';
import { fieldError, type ParleyError } from './errors.ts';

/** A whole number that a `number` cannot hold. Codecs of ids take its digits; for all others it is no number. */
export class LongInteger extends Number {
  readonly digits: string;

  constructor(digits: string) {
    super(digits);
    this.digits = digits;
  }
}

/** Where a text may hold a long number outside strings. */
const MAYBE_LONG = /[\s[:,]\d{16}/;
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;
const ONLY_DIGITS = /^\d{16,}$/;
/** Begins the strings that stand for long numbers. No client knows it. */
const MARK = randomUUID();

const marked = (written: string): string =>
  ONLY_DIGITS.test(written) && !Number.isSafeInteger(Number(written)) ? `"${MARK}${written}"` : written;

/**
 * Like `JSON.parse`, but whole numbers that it would round become a `LongInteger`: some libraries send ids as numbers.
 * @throws SyntaxError when the text is not JSON
 */
export const parseJson = (text: string): unknown => {
  const value: unknown = JSON.parse(text);
  if (!MAYBE_LONG.test(text) || jsonError(value) !== undefined) return value;
  return JSON.parse(text.replace(STRING_OR_NUMBER, marked), (_, inner: unknown) =>
    typeof inner === 'string' && inner.startsWith(MARK) ? new LongInteger(inner.slice(MARK.length)) : inner,
  );
};

/** Levels of lists and objects, the outermost included. Serialising much deeper ones could exhaust the stack. */
export const MAX_DEPTH = 64;

type Json = { readonly [key: string]: unknown };

const nestsTooDeep = (value: unknown, left: number): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  if (left === 0) return true;
  // What JSON.parse makes has no fields but its own.
  for (const key in value) if (nestsTooDeep((value as Json)[key], left - 1)) return true;
  return false;
};

/** Whether the value has a key that would change the prototype of an object it is copied to. Never nests too deeply. */
const changesPrototype = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  for (const key in value) {
    const inner = (value as Json)[key];
    if (isPrototypeKey(key, inner) || changesPrototype(inner)) return true;
  }
  return false;
};

const isPrototypeKey = (key: string, value: unknown): boolean =>
  key === '__proto__' ||
  (key === 'constructor' && typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype'));

/**
 * What is wrong with parsed JSON whatever it is for.
 * @returns error 50035 about the outermost field that holds it; `undefined` if nothing is
 */
export const jsonError = (value: unknown): ParleyError | undefined => {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const field in value) {
    const inner = (value as Json)[field];
    if (nestsTooDeep(inner, MAX_DEPTH - 1))
      return fieldError([field], 'INVALID_JSON', `Must not nest beyond ${MAX_DEPTH} levels.`);
    if (isPrototypeKey(field, inner) || changesPrototype(inner))
      return fieldError([field], 'INVALID_JSON', 'Must not change the prototype of an object.');
  }
  return undefined;
};
