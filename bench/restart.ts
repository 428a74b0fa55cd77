/** Whether a start costs the same however many events are in the log. */

import { type Bench, median, round } from './bench.ts';
import { million } from './support/million.ts';
import { type Place, startPlace } from './support/place.ts';

const ROUNDS = 5;

const secondsToReady = async (place: Place): Promise<number> => {
  const begun = performance.now();
  await place.start();
  const seconds = (performance.now() - begun) / 1_000;
  await place.stop();
  return seconds;
};

export const restart: Bench = {
  name: 'restart',
  title: 'seconds from start to ready with 1,000,000 events / with none',
  reach: { comparison: '<=', value: 1.5 },
  prepare: million,
  run: async () => {
    const { place } = await million();
    const empty = await startPlace();
    try {
      await empty.stop();
      const times: { many: number; none: number }[] = [];
      for (let i = 0; i < ROUNDS; i += 1) {
        times.push({ many: await secondsToReady(place), none: await secondsToReady(empty) });
      }
      const [many, none] = [median(times.map((t) => t.many)), median(times.map((t) => t.none))];
      return {
        figures: { 's with 1,000,000': round(many, 2), 's with none': round(none, 2) },
        ratio: many / none,
      };
    } finally {
      await empty.remove();
    }
  },
};
