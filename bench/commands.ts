/** How much of the disk's append rate arrives as commands over sockets. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bench, median, round } from './bench.ts';
import { eventsPerSecond } from './support/appenders.ts';
import { openRawAppends, TURNS } from './support/raw-appends.ts';
import { withTalkers } from './support/talking.ts';

const WINDOW = 32;
const ROUNDS = 5;
const ROUND_MS = 4_000;

export const commands: Bench = {
  name: 'commands',
  title: 'durable op-100 sends/s over 50 sockets, one subscriber / raw appends/s of libsql, by turns',
  reach: { comparison: '>=', value: 0.38 },
  run: () =>
    withTalkers(async (talkers) => {
      const directory = mkdtempSync(join(tmpdir(), 'parley-commands-'));
      const raw = openRawAppends(directory);
      const rates: { sends: number; raw: number }[] = [];
      try {
        // The first round compiles the code.
        for (let i = 0; i <= ROUNDS; i += 1) {
          const rawRate = await eventsPerSecond(TURNS, () => raw.round(i * TURNS));
          const { perSecond } = await talkers.flood({ ms: ROUND_MS, window: WINDOW });
          if (i > 0) rates.push({ sends: perSecond, raw: rawRate });
        }
      } finally {
        raw.close();
        rmSync(directory, { recursive: true });
      }
      return {
        figures: {
          'sends/s': round(median(rates.map(({ sends }) => sends))),
          'raw appends/s': round(median(rates.map((rate) => rate.raw))),
        },
        ratio: median(rates.map((rate) => rate.sends / rate.raw)),
      };
    }),
};
