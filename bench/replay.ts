/** How much of what a scan of the table reads leaves the server as lines over HTTP. */
import { join } from 'node:path';
import Database from 'libsql';
import { LOG_FILE } from '../log/sqlite/schema.ts';
import { type Bench, median, round } from './bench.ts';
import { million } from './support/million.ts';

const ROUNDS = 3;
const LINE_FEED = 10;

/** @returns events a second */
const scan = (data: string): number => {
  const database = new Database(join(data, LOG_FILE), { readonly: true });
  try {
    const begun = performance.now();
    let events = 0;
    for (const _ of database.prepare('SELECT * FROM events ORDER BY position').raw(true).iterate()) events += 1;
    return (events * 1_000) / (performance.now() - begun);
  } finally {
    database.close();
  }
};

/** @returns events a second */
const replayOverHttp = async (url: string, authorization: string): Promise<number> => {
  const begun = performance.now();
  const response = await fetch(`${url}/v1/events?after=0`, { headers: { authorization } });
  if (!response.ok) throw new Error(`replay was answered ${response.status}`);
  let events = 0;
  for await (const chunk of response.body!) {
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, at + 1)) events += 1;
  }
  return (events * 1_000) / (performance.now() - begun);
};

export const replay: Bench = {
  name: 'replay',
  title: 'events/s through HTTP / raw scan',
  reach: { comparison: '>=', value: 0.3 },
  run: async () => {
    const { place } = await million();
    const server = await place.start();
    try {
      const rates: { http: number; raw: number }[] = [];
      for (let i = 0; i < ROUNDS; i += 1) {
        rates.push({ raw: scan(place.data), http: await replayOverHttp(server.url, place.owner.authorization) });
      }
      const [http, raw] = [median(rates.map((r) => r.http)), median(rates.map((r) => r.raw))];
      return { figures: { 'events/s': round(http), 'scanned/s': round(raw) }, ratio: http / raw };
    } finally {
      await place.stop();
    }
  },
};
