/** Ids as the store keeps them: signed 64-bit numbers. */

export const MAX_ID = 2n ** 63n - 1n;

/** `undefined` for what no message or channel is called: zeros in front, or beyond the largest. */
export const idOf = (id: string): bigint | undefined => {
  if (id.length > 1 && id.charCodeAt(0) === 48) return undefined;
  const value = BigInt(id);
  return value <= MAX_ID ? value : undefined;
};

/** An id that only limits a range and need not exist. */
export const boundOf = (id: string): bigint => {
  const value = BigInt(id);
  return value <= MAX_ID ? value : MAX_ID;
};
