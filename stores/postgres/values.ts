/**
 * Arrays in PostgreSQL's binary form (`array_send` in its sources). As text, the driver would escape every value and
 * the server parse it again: half the cost of an append for this process.
 */

/** Ids as stored: signed 64-bit numbers, passed as text. */
const MAX_ID = '9223372036854775807';
const CANONICAL = /^(0|[1-9]\d{0,18})$/;

const fits = (id: string): boolean => id.length < MAX_ID.length || id <= MAX_ID;

/** Below every id. */
export const NOBODY = '-1';

/** `NOBODY` for an id that cannot exist: with leading zeros, or above the largest. */
export const idKey = (id: string): string => (CANONICAL.test(id) && fits(id) ? id : NOBODY);

/** An id that only bounds a range and need not exist. */
export const boundOf = (id: string): string => {
  const digits = id.replace(/^0+(?=\d)/, '');
  return digits.length <= MAX_ID.length && fits(digits) ? digits : MAX_ID;
};

// Any number of rows as one value, so one statement writes them all and is planned once.

/** A `FROM` clause: rows of this table, or of these columns, from the JSON in the statement's first value. */
export const rowsOf = (table: string): string => `json_populate_recordset(NULL::${table}, $1)`;

/** Existing rows stay unchanged. */
export const inserting = (table: string): string =>
  `INSERT INTO ${table} SELECT * FROM ${rowsOf(table)} ON CONFLICT DO NOTHING`;

const OIDS = { integer: 23, bigint: 20, text: 25 } as const;

/** Dimensions, null flag, type; then length and first index of the only dimension. */
const HEADER = 20;
const LENGTH = 4;

const withHeader = (type: keyof typeof OIDS, count: number, hasNulls: boolean, bytes: number): Buffer => {
  const buffer = Buffer.allocUnsafe(HEADER + bytes);
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(hasNulls ? 1 : 0, 4);
  buffer.writeInt32BE(OIDS[type], 8);
  buffer.writeInt32BE(count, 12);
  buffer.writeInt32BE(1, 16);
  return buffer;
};

export const integers = (values: readonly number[]): Buffer => {
  const buffer = withHeader('integer', values.length, false, values.length * (LENGTH + 4));
  let at = HEADER;
  for (const value of values) {
    at = buffer.writeInt32BE(4, at);
    at = buffer.writeInt32BE(value, at);
  }
  return buffer;
};

export const bigints = (values: readonly number[]): Buffer => {
  const buffer = withHeader('bigint', values.length, false, values.length * (LENGTH + 8));
  let at = HEADER;
  for (const value of values) {
    at = buffer.writeInt32BE(8, at);
    at = buffer.writeBigInt64BE(BigInt(value), at);
  }
  return buffer;
};

export const texts = (values: readonly (string | null)[]): Buffer => {
  let most = values.length * LENGTH;
  // One UTF-16 unit becomes at most three bytes. Exact lengths would need a second pass over every value.
  for (const value of values) most += value === null ? 0 : 3 * value.length;
  const buffer = withHeader('text', values.length, values.includes(null), most);
  let at = HEADER;
  for (const value of values) {
    if (value === null) {
      at = buffer.writeInt32BE(-1, at);
      continue;
    }
    const length = buffer.write(value, at + LENGTH, 'utf8');
    buffer.writeInt32BE(length, at);
    at += LENGTH + length;
  }
  return buffer.subarray(0, at);
};
