/** Prepared statements whose types allow only what the driver can bind: a boolean or an object would abort the process. */
import type Database from 'libsql';

export type Value = string | number | bigint | null;

export type Connection = Database.Database;

export interface Query<Row extends readonly Value[]> {
  get(...values: Value[]): Row | undefined;
  all(...values: Value[]): Row[];
}

/** Rows as arrays, in the order of the selected columns. */
export const query = <Row extends readonly Value[]>(db: Connection, sql: string): Query<Row> => {
  const statement = db.prepare<[Value[]]>(sql).raw(true);
  return {
    get: (...values) => statement.get(values) as Row | undefined,
    all: (...values) => statement.all(values) as Row[],
  };
};

/** @returns a function that answers how many rows it changed. */
export const command = (db: Connection, sql: string): ((...values: Value[]) => number) => {
  const statement = db.prepare<[Value[]]>(sql);
  return (...values) => statement.run(values).changes;
};

/**
 * Ids are kept as integers, which are small and sort as numbers. "007" would then find row 7, so a form that nobody
 * issued is asked for as null, which finds nothing.
 */
export const idKey = (id: string): string | null => (id.length > 1 && id.charCodeAt(0) === 48 ? null : id);

/** A list as one bound value, for `IN (SELECT value FROM json_each(?))`. */
export const idKeys = (ids: readonly string[]): string => JSON.stringify(ids.map(idKey));
