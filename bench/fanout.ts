/** What a dispatch to five thousand sockets costs beyond the unavoidable system calls. */

import { type Bench, median, type Reach, round } from './bench.ts';
import type { Bare } from './children/bare.ts';
import { startChild } from './support/child.ts';
import { withCrowd } from './support/crowded.ts';

const SOCKETS = 5_000;
/** Fewer messages would run code that is not compiled yet, on both sides. */
const WARM_UP_ROUNDS = 5;
const ROUNDS = 25;
const CONTENT = 'a message of a usual length, which is about a hundred characters when people have something to say';

const fanoutBench = (name: string, burst: number, what: string, reach: Reach): Bench => ({
  name,
  title: `deliveries/s of ${what} to 5,000 sockets / a bare loop of socket.write(prebuilt frames), likewise`,
  reach,
  run: () =>
    withCrowd(SOCKETS, async (place, crowd, tokens) => {
      const bare = await startChild<Bare>('bare');
      try {
        const message = { channelId: place.channel.id, burst, content: CONTENT };
        await crowd.connect({ group: 'parley', ports: [place.server().port], tokens, senderToken: place.owner.token });
        await crowd.send({ group: 'parley', ...message });
        await bare.call.use(await crowd.frame(null));
        const ports = [await bare.call.listen(null)];
        await crowd.connect({ group: 'bare', ports, tokens, senderToken: '' });
        await crowd.send({ group: 'bare', ...message });
        const times: { parley: number; bare: number }[] = [];
        for (let i = 0; i < WARM_UP_ROUNDS + ROUNDS; i += 1) {
          const ours = await crowd.send({ group: 'parley', ...message });
          const bares = await crowd.send({ group: 'bare', ...message });
          if (i >= WARM_UP_ROUNDS) times.push({ parley: ours, bare: bares });
        }
        const rate = (ms: number) => (SOCKETS * burst * 1_000) / ms;
        const [ours, bares] = [median(times.map((each) => each.parley)), median(times.map((each) => each.bare))];
        return {
          figures: { 'deliveries/s': round(rate(ours)), 'bare deliveries/s': round(rate(bares)) },
          ratio: bares / ours,
        };
      } finally {
        await bare.stop();
      }
    }),
});

export const fanout = fanoutBench('fanout', 1, 'single messages', { comparison: '>=', value: 0.9 });
export const fanoutBursts = fanoutBench('fanout-bursts', 16, 'bursts of 16', { comparison: '>=', value: 0.7 });
