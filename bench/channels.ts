/** How far delivery falls behind acknowledgement when the server is saturated. */
import { type Bench, round } from './bench.ts';
import { withTalkers } from './support/talking.ts';

const WINDOW = 32;
/** A fresh server compiles its code. */
const BEFORE_MS = 10_000;
const MEASURED_MS = 60_000;
/** Each must stay below the limit, so that a delay that grows is seen. */
const PARTS = 4;

export const channels: Bench = {
  name: 'channels',
  title: 'p99 from acknowledgement to delivery at saturation, 20 senders x 32 over 20 channels, worst quarter of 60 s',
  reach: { comparison: '<', value: 20, unit: 'ms' },
  run: () =>
    withTalkers(
      async (talkers) => {
        await talkers.saturate({ ms: BEFORE_MS, window: WINDOW, parts: 1 });
        const parts = await talkers.saturate({ ms: MEASURED_MS, window: WINDOW, parts: PARTS });
        const quarters = parts.map(({ p99 }, i) => [`p99 ms in quarter ${i + 1}`, round(p99, 1)] as const);
        return { figures: Object.fromEntries(quarters), ratio: Math.max(...parts.map(({ p99 }) => p99)) };
      },
      { senders: 20, channels: 20 },
    ),
};
