/** How much of libsql's raw append rate the event log passes on to 64 concurrent appenders. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteEventLog } from '../log/sqlite/event-log.ts';
import { systemClock } from '../schemas/clock.ts';
import type { Bench } from './bench.ts';
import { type AppendRates, appendTurns, compareAppends } from './support/appenders.ts';
import { openRawAppends, TURNS } from './support/raw-appends.ts';

const ROUNDS = 7;

const run = async (): Promise<AppendRates> => {
  const directory = mkdtempSync(join(tmpdir(), 'parley-append-'));
  const log = await openSqliteEventLog({ clock: systemClock, directory });
  const raw = openRawAppends(directory);
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

export const append: Bench = {
  name: 'append',
  title: 'EventLog port, 64 appenders, 300-byte events / raw libsql in equal batches',
  reach: { comparison: '>=', value: 0.6 },
  run: async () => {
    const { port, raw, ratio } = await run();
    return { figures: { 'port events/s': port, 'raw events/s': raw }, ratio };
  },
};
