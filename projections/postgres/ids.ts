/** Ids as the store keeps them: signed 64-bit numbers, given as text. */

const MAX_ID = '9223372036854775807';
const CANONICAL = /^(0|[1-9]\d{0,18})$/;

const fits = (id: string): boolean => id.length < MAX_ID.length || id <= MAX_ID;

/** Below every id. */
export const NOBODY = '-1';

/** `NOBODY` for what nobody is called: zeros in front, or beyond the largest. */
export const idKey = (id: string): string => (CANONICAL.test(id) && fits(id) ? id : NOBODY);

/** An id that only limits a range and need not exist. */
export const boundOf = (id: string): string => {
  const digits = id.replace(/^0+(?=\d)/, '');
  return digits.length <= MAX_ID.length && fits(digits) ? digits : MAX_ID;
};
