/** How much of the rate of a table scan leaves the server as lines over HTTP. */

import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import Database from 'libsql';
import { LOG_FILE } from '../log/sqlite/schema.ts';
import { type Bench, median, round } from './bench.ts';
import { MANY, million } from './support/million.ts';

const ROUNDS = 5;
/** Events replayed in each round: the last of the million. */
const EVENTS = 300_000;
const AFTER = MANY - EVENTS;
const LINE_FEED = 10;

/** @returns events a second */
const scan = (data: string, after: number): number => {
  const database = new Database(join(data, LOG_FILE), { readonly: true });
  try {
    const begun = performance.now();
    let events = 0;
    const rows = database.prepare('SELECT * FROM events WHERE position > ? ORDER BY position').raw(true);
    for (const _ of rows.iterate([after])) events += 1;
    return (events * 1_000) / (performance.now() - begun);
  } finally {
    database.close();
  }
};

/** @returns events a second */
const replayOverHttp = async (url: string, authorization: string, after: number): Promise<number> => {
  const begun = performance.now();
  const request = get(`${url}/v1/events?after=${after}`, { headers: { authorization } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`replay was answered ${response.statusCode}`);
  let events = 0;
  response.on('data', (chunk: Buffer) => {
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, at + 1)) events += 1;
  });
  await once(response, 'end');
  if (events < EVENTS) throw new Error(`replay ended after ${events} events`);
  return (events * 1_000) / (performance.now() - begun);
};

export const replay: Bench = {
  name: 'replay',
  title: 'events/s through HTTP / raw scan',
  reach: { comparison: '>=', value: 0.5 },
  prepare: million,
  run: async () => {
    const { place } = await million();
    const server = await place.start();
    try {
      const rates: { http: number; raw: number }[] = [];
      for (let i = 0; i < ROUNDS; i += 1) {
        rates.push({
          raw: scan(place.data, AFTER),
          http: await replayOverHttp(server.url, place.owner.authorization, AFTER),
        });
      }
      const [http, raw] = [median(rates.map((r) => r.http)), median(rates.map((r) => r.raw))];
      return { figures: { 'events/s': round(http), 'scanned/s': round(raw) }, ratio: http / raw };
    } finally {
      await place.stop();
    }
  },
};
