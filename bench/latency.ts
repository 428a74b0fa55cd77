/** How long a message takes at a fixed rate. */
import { type Bench, round } from './bench.ts';
import { withTalkers } from './support/talking.ts';

const PER_SECOND = 5_000;

export const latency: Bench = {
  name: 'latency',
  title: `p99 from send to deliver at ${PER_SECOND} messages/s to one listener`,
  reach: { comparison: '<', value: 10, unit: 'ms' },
  run: () =>
    withTalkers(async (talkers) => {
      const { p50, p99, sentPerSecond } = await talkers.pace({ ms: 10_000, perSecond: PER_SECOND });
      return {
        figures: { 'p50 ms': round(p50, 1), 'p99 ms': round(p99, 1), 'sends/s': round(sentPerSecond) },
        ratio: p99,
      };
    }),
};
