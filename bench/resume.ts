/** What it costs to resume every session, compared with identifying all of them again. */
import { type Bench, median, round } from './bench.ts';
import { withCrowd } from './support/crowded.ts';

const SESSIONS = 5_000;
const MISSED = 20;
const ROUNDS = 5;

export const resume: Bench = {
  name: 'resume',
  title: '5,000 sessions cut at once, 20 events missed each: time to resume / time to reconnect without resuming',
  reach: { comparison: '<=', value: 2 },
  run: () =>
    withCrowd(SESSIONS, async (place, crowd, tokens) => {
      const group = 'all';
      const channelId = place.channel.id;
      const miss = async () => {
        // A session that has received nothing has nothing to resume from.
        await crowd.send({ group, channelId, burst: 1, content: 'before the cut' });
        await crowd.cut({ group });
        for (let i = 0; i < MISSED; i += 1) await place.api().send(channelId, `missed ${i}`);
      };
      await crowd.connect({ group, ports: [place.server().port], tokens, senderToken: place.owner.token });
      const resumed: number[] = [];
      const reconnected: number[] = [];
      let complete = 0;
      for (let i = 0; i < ROUNDS; i += 1) {
        await miss();
        const outcome = await crowd.resume({ group, missed: MISSED });
        resumed.push(outcome.ms);
        complete += outcome.complete;
        await miss();
        reconnected.push(await crowd.reconnect({ group }));
      }
      const share = complete / (SESSIONS * ROUNDS);
      return {
        figures: {
          '% complete': round(share * 100, 2),
          'resume s': round(median(resumed) / 1_000, 2),
          'reconnect s': round(median(reconnected) / 1_000, 2),
        },
        // A session that lost something has not resumed, however fast it was.
        ratio: share === 1 ? median(resumed) / median(reconnected) : Number.POSITIVE_INFINITY,
      };
    }),
};
