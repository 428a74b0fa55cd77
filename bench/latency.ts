/** How long a message takes at a fixed rate. */
import { type Bench, median, round } from './bench.ts';
import { withTalkers } from './support/talking.ts';

const PER_SECOND = 5_000;
const ROUNDS = 3;
const ROUND_MS = 10_000;

export const latency: Bench = {
  name: 'latency',
  title: `p99 from send to deliver at ${PER_SECOND} messages/s to one listener`,
  reach: { comparison: '<', value: 10, unit: 'ms' },
  run: () =>
    withTalkers(async (talkers) => {
      const pace = { ms: ROUND_MS, perSecond: PER_SECOND };
      // A fresh server compiles its code.
      await talkers.pace(pace);
      const rounds: Awaited<ReturnType<typeof talkers.pace>>[] = [];
      for (let i = 0; i < ROUNDS; i += 1) rounds.push(await talkers.pace(pace));
      const p99 = median(rounds.map((one) => one.p99));
      return {
        figures: {
          'p50 ms': round(median(rounds.map((one) => one.p50)), 1),
          'p99 ms': round(p99, 1),
          'sends/s': round(median(rounds.map((one) => one.sentPerSecond))),
        },
        ratio: p99,
      };
    }),
};
