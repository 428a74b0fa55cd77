/** How much of PostgreSQL's raw insert rate the event log passes on to 64 concurrent appenders. */

import { Client } from 'pg';
import { openPostgresEventLog } from '../../log/postgres/event-log.ts';
import { systemClock } from '../../schemas/clock.ts';
import { type Bench, round } from '../bench.ts';
import { APPENDERS, appendTurns, compareAppends, posted } from '../support/appenders.ts';
import { clusterServers, withNamespace } from '../support/cluster-servers.ts';

const TURNS = 300;
const ROUNDS = 8;
const COLUMNS = 13;

/** Prepared statements of 64 rows, one after another, each its own transaction, in a table like the log's. */
const openRaw = async (url: string) => {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('SET synchronous_commit = on');
  await client.query('CREATE TABLE raw_events (LIKE events INCLUDING ALL)');
  const row = (r: number) => `(${Array.from({ length: COLUMNS }, (_, c) => `$${r * COLUMNS + c + 1}`).join(', ')})`;
  const text = `INSERT INTO raw_events VALUES ${Array.from({ length: APPENDERS }, (_, r) => row(r)).join(', ')}`;
  const { type, schema, time, id, actor, key, correlationId, data } = posted('channel-0', 1);
  const json = JSON.stringify(data);
  let position = 0;
  const round = async (done: number): Promise<void> => {
    for (let sequence = done + 1; sequence <= done + TURNS; sequence += 1) {
      const values: unknown[] = [];
      for (let stream = 0; stream < APPENDERS; stream += 1) {
        position += 1;
        const place = [position, `channel-${stream}`, sequence];
        values.push(...place, type, schema, time, id, actor, key, correlationId, null, null, json);
      }
      await client.query({ name: 'raw', text, values });
    }
  };
  return { round, close: () => client.end() };
};

export const clusterAppend: Bench = {
  name: 'cluster-append',
  title: 'EventLog port on PostgreSQL, 64 appenders, 300-byte events / raw inserts of 64 rows on one connection',
  reach: { comparison: '>=', value: 0.65 },
  prepare: clusterServers,
  run: () =>
    withNamespace(async ({ env }) => {
      const url = env.PARLEY_LOG_URL!;
      const commits: number[] = [];
      const log = await openPostgresEventLog({ clock: systemClock, url, onCommit: (events) => commits.push(events) });
      const raw = await openRaw(url);
      try {
        const rates = await compareAppends({
          rounds: ROUNDS,
          turns: TURNS,
          port: (done) => appendTurns(log, done, TURNS),
          raw: raw.round,
        });
        return {
          figures: {
            'port events/s': rates.port,
            'raw events/s': rates.raw,
            'events a commit': round((APPENDERS * TURNS * ROUNDS) / commits.length, 1),
          },
          ratio: rates.ratio,
        };
      } finally {
        await raw.close();
        await log.close();
      }
    }),
};
