/** What libsql alone stores durably: the rows of 64 appenders in one transaction, 400 times in a round. */

import { join } from 'node:path';
import Database from 'libsql';
import { SCHEMA } from '../../log/sqlite/schema.ts';
import { APPENDERS, posted, USER } from './appenders.ts';

/** Transactions of a round. */
export const TURNS = 400;

/** @returns `round` takes the number of earlier turns */
export const openRawAppends = (directory: string) => {
  const database = new Database(join(directory, 'raw.db'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec(SCHEMA);
  const insert = database.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)');
  const event = posted('channel-0', 1);
  const data = JSON.stringify(event.data);
  let position = 0;
  const round = (done: number): void => {
    for (let sequence = done + 1; sequence <= done + TURNS; sequence += 1) {
      database.exec('BEGIN IMMEDIATE');
      for (let stream = 1; stream <= APPENDERS; stream += 1) {
        position += 1;
        insert.run([
          position,
          stream,
          sequence,
          event.type,
          1,
          event.time,
          event.id,
          USER,
          event.key,
          event.correlationId,
          null,
          null,
          data,
        ]);
      }
      database.exec('COMMIT');
    }
  };
  return { round, close: () => database.close() };
};
