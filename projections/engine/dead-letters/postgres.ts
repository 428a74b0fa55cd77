import type { Postgres } from '../../../stores/postgres/connection.ts';
import { DEAD_LETTERS_LOCK } from '../../../stores/postgres/locks.ts';
import type { DeadLetters, NewLetter, RecordedLetter, WhichLetters } from './port.ts';

/** Has its own schema, because letters outlive the generations of the views. */
const TABLE = 'parley_dead_letters.letters';

const SCHEMA = `
  CREATE SCHEMA IF NOT EXISTS parley_dead_letters;
  CREATE TABLE IF NOT EXISTS ${TABLE} (
    projection text NOT NULL,
    stream text NOT NULL,
    sequence bigint NOT NULL,
    position bigint NOT NULL,
    error text NOT NULL,
    attempts integer NOT NULL,
    time bigint NOT NULL,
    retry boolean NOT NULL DEFAULT false,
    PRIMARY KEY (projection, stream)
  )`;

const COLUMNS = 'projection, stream, sequence, position, error, attempts, time, retry';
const WHICH = '($1::text IS NULL OR projection = $1) AND ($2::text IS NULL OR stream = $2)';

const named = ({ projection, stream }: WhichLetters) => [projection ?? null, stream ?? null];
const valuesOf = ({ projection, stream, sequence, position, error, attempts }: NewLetter) => [
  projection,
  stream,
  sequence,
  position,
  // PostgreSQL cannot store this character in a text.
  error.replaceAll('\0', ''),
  attempts,
];

/** @throws StoreUnavailable if the server cannot be reached; so do its methods */
export const openDeadLetters = async (
  postgres: Postgres,
  /** Milliseconds since 1970. */
  clock: () => number,
): Promise<DeadLetters> => {
  // Processes that start together take turns creating the table.
  await postgres.transaction(async (ask) => {
    await ask({ text: 'SELECT pg_advisory_xact_lock($1)', values: [DEAD_LETTERS_LOCK] });
    await ask({ text: SCHEMA });
  });
  return {
    async record(letter) {
      await postgres.ask({
        text: `INSERT INTO ${TABLE} AS known (projection, stream, sequence, position, error, attempts, time)
          VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (projection, stream) DO UPDATE SET sequence = excluded.sequence,
            position = excluded.position, error = excluded.error, attempts = excluded.attempts, time = excluded.time
          WHERE excluded.sequence < known.sequence`,
        values: [...valuesOf(letter), clock()],
      });
    },
    list: (which = {}) =>
      postgres.ask<RecordedLetter>({
        text: `SELECT ${COLUMNS} FROM ${TABLE} WHERE ${WHICH} ORDER BY time, projection, stream`,
        values: named(which),
      }),
    async poisoned(projection) {
      const rows = await postgres.ask<{ stream: string; sequence: number }>({
        text: `SELECT stream, sequence FROM ${TABLE} WHERE projection = $1`,
        values: [projection],
      });
      return new Map(rows.map(({ stream, sequence }) => [stream, sequence]));
    },
    async requestRetry(which) {
      const rows = await postgres.ask({
        text: `UPDATE ${TABLE} SET retry = true WHERE ${WHICH} RETURNING stream`,
        values: named(which),
      });
      return rows.length;
    },
    requested: (projection) =>
      postgres.ask<RecordedLetter>({
        text: `SELECT ${COLUMNS} FROM ${TABLE} WHERE projection = $1 AND retry ORDER BY time, stream`,
        values: [projection],
      }),
    async resolve({ projection, stream }) {
      await postgres.ask({
        text: `DELETE FROM ${TABLE} WHERE projection = $1 AND stream = $2`,
        values: [projection, stream],
      });
    },
    async failAgain(letter) {
      await postgres.ask({
        text: `UPDATE ${TABLE} SET sequence = $3, position = $4, error = $5, attempts = $6, retry = false
          WHERE projection = $1 AND stream = $2`,
        values: valuesOf(letter),
      });
    },
    async forget(projection) {
      await postgres.ask({ text: `DELETE FROM ${TABLE} WHERE projection = $1`, values: [projection] });
    },
  };
};
