/** Any number of rows as one value, so that one statement writes them all and is planned once. */

/** A statement's `FROM`: rows of this table, or of these columns, from the JSON that is its first value. */
export const rowsOf = (table: string): string => `json_populate_recordset(NULL::${table}, $1)`;

/** What is there stays as it is. */
export const inserting = (table: string): string =>
  `INSERT INTO ${table} SELECT * FROM ${rowsOf(table)} ON CONFLICT DO NOTHING`;
