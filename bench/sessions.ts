/** What an idle session costs. */
import { type Bench, round } from './bench.ts';
import { COLLECTABLE, collected } from './support/collecting.ts';
import { withCrowd } from './support/crowded.ts';

const SESSIONS = 10_000;
/** Sessions opened and closed before the first measurement, so that code and pools do not count as sessions. */
const WARM_UP = 500;

export const sessions: Bench = {
  name: 'sessions',
  title: 'resident KB per idle identified session at 10,000',
  reach: { comparison: '<=', value: 8, unit: 'KB' },
  run: () =>
    withCrowd(
      SESSIONS,
      async (place, crowd, tokens) => {
        const server = place.server();
        const ports = [server.port];
        const senderToken = place.owner.token;
        await crowd.connect({ group: 'warm-up', ports, tokens: tokens.slice(0, WARM_UP), senderToken });
        await crowd.cut({ group: 'warm-up' });
        const before = await collected(server);
        const ms = await crowd.connect({ group: 'idle', ports, tokens, senderToken });
        const after = await collected(server);
        return {
          figures: {
            'MB before': round(before / 1024),
            'MB after': round(after / 1024),
            'connects/s': round((SESSIONS * 1_000) / ms),
          },
          ratio: (after - before) / SESSIONS,
        };
      },
      // All of a session is in one process.
      { ...COLLECTABLE, PARLEY_THREADS: '1' },
    ),
};
