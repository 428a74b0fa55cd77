/** How much of libsql's raw append rate the event log passes on to 64 concurrent appenders. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { openSqliteEventLog } from '../log/sqlite/event-log.ts';
import { SCHEMA } from '../log/sqlite/schema.ts';
import { systemClock } from '../schemas/clock.ts';
import { APPENDERS, type AppendRates, appendTurns, compareAppends, posted, USER } from './support/appenders.ts';

const TURNS = 400;
const ROUNDS = 7;

const openRaw = (directory: string) => {
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

export const run = async (): Promise<AppendRates> => {
  const directory = mkdtempSync(join(tmpdir(), 'parley-append-'));
  const log = await openSqliteEventLog({ clock: systemClock, directory });
  const raw = openRaw(directory);
  try {
    return await compareAppends({
      rounds: ROUNDS,
      turns: TURNS,
      port: (done) => appendTurns(log, done, TURNS),
      raw: raw.round,
    });
  } finally {
    raw.close();
    await log.close();
    rmSync(directory, { recursive: true });
  }
};
