/** A row of the table `events`, which has the same columns in SQLite and in PostgreSQL. */

import type { Recorded } from '../schemas/envelope.ts';

/** @typeParam Stream the stream's name, or its number */
export type Row<Stream, Data> = readonly [
  position: number,
  stream: Stream,
  sequence: number,
  type: string,
  schema: number,
  time: number,
  id: string,
  actor: string,
  key: string | null,
  correlation: string,
  causation: string | null,
  traceparent: string | null,
  data: Data,
];

export const toEvent = <Data>(row: Row<unknown, Data>, stream: string): Recorded<string, Data> => ({
  id: row[6],
  type: row[3],
  schema: row[4],
  stream,
  sequence: row[2],
  time: row[5],
  actor: row[7],
  key: row[8],
  correlationId: row[9],
  causationId: row[10],
  traceparent: row[11],
  data: row[12],
  position: row[0],
});
