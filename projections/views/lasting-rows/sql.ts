/**
 * Rows that last from one event to another, written alike in every SQL store: the first event makes the row, the second dates
 * its end, and it is kept. Of those with one key at most one lasts at a time.
 */

import type { Ask } from '../../../stores/postgres/connection.ts';
import { inserting, rowsOf } from '../../../stores/postgres/values.ts';
import { adding, type Connection, command, type Value } from '../../../stores/sqlite/statements.ts';

interface LastingTable<Row> {
  readonly table: string;
  readonly keys: readonly (keyof Row & string)[];
  /** The columns with the positions of both events; `ended` is null while the row lasts. */
  readonly began: keyof Row & string;
  readonly ended: keyof Row & string;
}

/** The key and the end of a row. */
type End = Readonly<Record<string, Value>>;

/** Takes one event after another. */
export const lastingInSqlite = <Row extends Readonly<Record<keyof Row, Value>>>(
  db: Connection,
  { table, keys, began, ended }: LastingTable<Row>,
) => {
  const isKey = keys.map((key) => `${key} = ?`).join(' AND ');
  const finish = command(db, `UPDATE ${table} SET ${ended} = ? WHERE ${isKey} AND ${ended} IS NULL AND ${began} < ?`);
  return {
    begin: adding<Row>(db, table),
    end: (end: End) => finish(end[ended]!, ...keys.map((key) => end[key]!), end[ended]!),
  };
};

/**
 * Takes the events of a batch at once. A row may begin and end several times in it: each end is the first after its
 * beginning.
 */
export const lastingInPostgres = <Row extends object>(
  schema: string,
  { table, keys, began, ended }: LastingTable<Row>,
) => {
  const rows = `${schema}.${table}`;
  const isKey = keys.map((key) => `e.${key} = r.${key}`).join(' AND ');
  const isEnd = `${isKey} AND e.position > r.${began}`;
  const finish = `WITH ends AS (SELECT ${keys}, ${ended} AS position FROM ${rowsOf(rows)})
    UPDATE ${rows} r SET ${ended} = (SELECT min(e.position) FROM ends e WHERE ${isEnd})
    WHERE r.${ended} IS NULL AND EXISTS (SELECT FROM ends e WHERE ${isEnd})`;
  return async (ask: Ask, begun: readonly Row[], ends: readonly End[]): Promise<void> => {
    const run = async (name: string, text: string, values: readonly object[]) => {
      if (values.length > 0) await ask({ name: `${rows} ${name}`, text, values: [JSON.stringify(values)] });
    };
    await run('begin', inserting(rows), begun);
    await run('end', finish, ends);
  };
};
