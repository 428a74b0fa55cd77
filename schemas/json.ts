/** The limits of JSON that a client sends, over HTTP as in an op 100. */

import { fieldError, type ParleyError } from './errors.ts';

/** Levels of lists and objects, the outermost included. Serialising much deeper ones could exhaust the stack. */
export const MAX_DEPTH = 64;

const nestsTooDeep = (value: unknown, left: number): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  return left === 0 || Object.values(value).some((inner) => nestsTooDeep(inner, left - 1));
};

/** Whether the value has a key that would change the prototype of an object it is copied to. Never nests too deeply. */
const changesPrototype = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => isPrototypeKey(key, inner) || changesPrototype(inner));
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
  for (const [field, inner] of Object.entries(value)) {
    if (nestsTooDeep(inner, MAX_DEPTH - 1))
      return fieldError([field], 'INVALID_JSON', `Must not nest beyond ${MAX_DEPTH} levels.`);
    if (isPrototypeKey(field, inner) || changesPrototype(inner))
      return fieldError([field], 'INVALID_JSON', 'Must not change the prototype of an object.');
  }
  return undefined;
};
