/** Whether the first command in a channel after a start costs the same however many events the channel has. */

import { type Bench, median, round } from './bench.ts';
import { million } from './support/million.ts';

const ROUNDS = 6;
const WARM_UP = 50;

export const cold: Bench = {
  name: 'cold',
  title: 'first send into an unloaded channel of 1,000,000 events / of none',
  reach: { comparison: '<=', value: 3 },
  prepare: million,
  run: async () => {
    const { place, many, silent } = await million();
    const firstSend = async (channelId: string): Promise<number> => {
      const begun = performance.now();
      await place.api().send(channelId, 'the first since the start');
      return performance.now() - begun;
    };
    const times: { many: number; none: number }[] = [];
    for (let i = 0; i < ROUNDS; i += 1) {
      await place.start();
      try {
        // The code that sends is warm then, so only the channel is cold.
        for (let n = 0; n < WARM_UP; n += 1) await place.api().send(place.channel.id, 'warm-up');
        const none = silent[i]!.id;
        const manyFirst = i % 2 === 0;
        const first = await firstSend(manyFirst ? many.id : none);
        const second = await firstSend(manyFirst ? none : many.id);
        times.push(manyFirst ? { many: first, none: second } : { many: second, none: first });
      } finally {
        await place.stop();
      }
    }
    const [atMany, atNone] = [median(times.map((t) => t.many)), median(times.map((t) => t.none))];
    return {
      figures: { 'ms at 1,000,000': round(atMany, 2), 'ms at none': round(atNone, 2) },
      ratio: atMany / atNone,
    };
  },
};
