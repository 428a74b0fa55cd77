/** How long a message takes when the server runs at half its capacity. */
import { type Bench, round } from './bench.ts';
import { withTalkers } from './support/talking.ts';

const WINDOW = 32;

export const latency: Bench = {
  name: 'latency',
  title: 'p99 from send to deliver at half the rate of commands',
  reach: { comparison: '<', value: 10, unit: 'ms' },
  run: () =>
    withTalkers(async (talkers) => {
      const { perSecond } = await talkers.flood({ ms: 3_000, window: WINDOW });
      const { p50, p99, sentPerSecond } = await talkers.pace({ ms: 10_000, perSecond: perSecond / 2 });
      return {
        figures: { 'p50 ms': round(p50, 1), 'p99 ms': round(p99, 1), 'sends/s': round(sentPerSecond) },
        ratio: p99,
      };
    }),
};
