/** Whether a page of history costs the same however many messages there are. */

import { type Bench, quantile, round } from './bench.ts';
import { FEW, MANY, million } from './support/million.ts';

const PAGES = 1_500;
const WARM_UP = 200;

export const history: Bench = {
  name: 'history',
  title: 'p99 of a page of 50 before a random message, at 1,000,000 messages / at 10,000',
  reach: { comparison: '<=', value: 1.3 },
  prepare: million,
  run: async () => {
    const { place, many, few, messageId } = await million();
    await place.start();
    try {
      const api = place.api();
      const page = async (channelId: string, count: number): Promise<number> => {
        const before = messageId(1 + Math.floor(Math.random() * count), count);
        const begun = performance.now();
        await api.history(channelId, `?limit=50&before=${before}`);
        return performance.now() - begun;
      };
      const times: { many: number; few: number }[] = [];
      for (let i = 0; i < WARM_UP + PAGES; i += 1) {
        const atMany = await page(many.id, MANY);
        const atFew = await page(few.id, FEW);
        if (i >= WARM_UP) times.push({ many: atMany, few: atFew });
      }
      const [atMany, atFew] = [
        quantile(
          times.map((t) => t.many),
          0.99,
        ),
        quantile(
          times.map((t) => t.few),
          0.99,
        ),
      ];
      return {
        figures: { 'p99 ms at 1,000,000': round(atMany, 2), 'p99 ms at 10,000': round(atFew, 2) },
        ratio: atMany / atFew,
      };
    } finally {
      await place.stop();
    }
  },
};
