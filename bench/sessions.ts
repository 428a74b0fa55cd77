/** What an idle session costs. */
import { readFileSync } from 'node:fs';
import { type Bench, round } from './bench.ts';
import { withCrowd } from './support/crowded.ts';

const SESSIONS = 10_000;
/** Sessions opened and closed before the first measurement, so that code and pools do not count as sessions. */
const WARM_UP = 500;
/** V8 frees the memory of a busy period only after about half a minute of idling. */
const SETTLING_MS = 45_000;
const LOOKS = 45;

const residentKilobytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

/** The lowest of several measurements, because uncollected garbage belongs to no session. */
const settled = async (pid: number): Promise<number> => {
  let lowest = Number.POSITIVE_INFINITY;
  for (let look = 0; look < LOOKS; look += 1) {
    lowest = Math.min(lowest, residentKilobytes(pid));
    await new Promise((next) => setTimeout(next, SETTLING_MS / LOOKS));
  }
  return lowest;
};

export const sessions: Bench = {
  name: 'sessions',
  title: 'resident KB per idle identified session at 10,000',
  reach: { comparison: '<=', value: 8, unit: 'KB' },
  run: () =>
    withCrowd(SESSIONS, async (place, crowd, tokens) => {
      const { pid, port } = place.server();
      const ports = [port];
      const senderToken = place.owner.token;
      await crowd.connect({ group: 'warm-up', ports, tokens: tokens.slice(0, WARM_UP), senderToken });
      await crowd.cut({ group: 'warm-up' });
      const before = await settled(pid);
      const ms = await crowd.connect({ group: 'idle', ports, tokens, senderToken });
      const after = await settled(pid);
      return {
        figures: {
          'MB before': round(before / 1024),
          'MB after': round(after / 1024),
          'connects/s': round((SESSIONS * 1_000) / ms),
        },
        ratio: (after - before) / SESSIONS,
      };
    }),
};
