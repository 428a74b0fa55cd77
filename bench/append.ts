/** How much of what libsql itself can store the event log passes on to 64 concurrent appenders. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { either } from 'fp-ts';
import Database from 'libsql';
import type { EventLog } from '../log/port.ts';
import { openSqliteEventLog } from '../log/sqlite/index.ts';
import { SCHEMA } from '../log/sqlite/schema.ts';
import type { NewParleyEvent } from '../schemas/events/index.ts';

const APPENDERS = 64;
const TURNS = 400;
const ROUNDS = 7;

const USER = '1234567890123456789';

/** With the sealed text of a short message; its `data` is 300 bytes of JSON. */
const posted = (stream: string, sequence: number, box: string): NewParleyEvent => ({
  id: '6ba7b810-9dad-51d1-80b4-00c04fd430c8',
  type: 'message-posted',
  schema: 1,
  stream,
  sequence,
  time: 1_700_000_000_000 + sequence,
  actor: USER,
  key: `nonce-${sequence}`,
  correlationId: 'b7ad6b71-69203331',
  causationId: null,
  traceparent: null,
  data: {
    messageId: USER,
    ordinal: sequence,
    author: USER,
    replyTo: null,
    mentions: { users: [], everyone: false },
    flags: 0,
    nonce: null,
    sealed: { by: USER, box },
  },
});

const box = randomBytes(72).toString('base64');

/** Each appender waits for its answer before it sends the next event. */
const portRound = async (log: EventLog, done: number): Promise<void> => {
  const appender = async (stream: string) => {
    for (let expected = done; expected < done + TURNS; expected += 1) {
      const answer = await log.append({ stream, expected, events: [posted(stream, expected + 1, box)] });
      if (either.isLeft(answer)) throw new Error(`The log refused: ${JSON.stringify(answer.left)}`);
    }
  };
  await Promise.all(Array.from({ length: APPENDERS }, (_, i) => appender(`channel-${i}`)));
};

const openRaw = (directory: string) => {
  const database = new Database(join(directory, 'raw.db'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec(SCHEMA);
  const insert = database.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const event = posted('channel-0', 1, box);
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

const timed = async (work: () => void | Promise<void>): Promise<number> => {
  const start = performance.now();
  await work();
  return (APPENDERS * TURNS * 1_000) / (performance.now() - start);
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/**
 * Rates are events a second, medians of rounds taken by turns; `ratio` is the median of the rounds' own ratios, because
 * what else the machine does changes from round to round.
 */
export const run = async () => {
  const directory = mkdtempSync(join(tmpdir(), 'parley-append-'));
  const log = await openSqliteEventLog({ directory });
  const raw = openRaw(directory);
  try {
    const rates: { port: number; raw: number }[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const done = round * TURNS;
      const rawRate = await timed(() => raw.round(done));
      rates.push({ port: await timed(() => portRound(log, done)), raw: rawRate });
    }
    // The first round compiles the code.
    const measured = rates.slice(1);
    return {
      name: 'append',
      port: Math.round(median(measured.map(({ port }) => port))),
      raw: Math.round(median(measured.map((rate) => rate.raw))),
      ratio: Number(median(measured.map(({ port, raw }) => port / raw)).toFixed(2)),
    };
  } finally {
    raw.close();
    await log.close();
    rmSync(directory, { recursive: true });
  }
};
