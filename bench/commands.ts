/** How much of the disk's append rate arrives as commands over sockets. */

import { type Bench, round } from './bench.ts';
import { rawAppendsPerSecond } from './support/raw-appends.ts';
import { withTalkers } from './support/talking.ts';

const WINDOW = 32;
const MEASURED_MS = 6_000;

export const commands: Bench = {
  name: 'commands',
  title: 'durable op-100 sends/s over 50 sockets, one subscriber / raw appends/s of libsql',
  reach: { comparison: '>=', value: 0.38 },
  run: () =>
    withTalkers(async (talkers) => {
      const { perSecond } = await talkers.flood({ ms: MEASURED_MS, window: WINDOW });
      const raw = await rawAppendsPerSecond();
      return { figures: { 'sends/s': round(perSecond), 'raw appends/s': round(raw) }, ratio: perSecond / raw };
    }),
};
