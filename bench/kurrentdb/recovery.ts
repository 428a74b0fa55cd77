/** How soon the log works again when its connections die without a word. */

import { BUDGETS } from '../../stores/budgets.ts';
import { type Bench, round } from '../bench.ts';
import { withPlace } from './place.ts';
import { write } from './writers.ts';

const ROUNDS = 2;

export const recovery: Bench = {
  name: 'log-kurrentdb-recovery',
  title: 'seconds from a black hole until append, read and tail all work again',
  reach: { comparison: '<=', value: BUDGETS.kurrentdb.recoveredMs / 1_000, unit: 's' },
  run: () =>
    withPlace(undefined, async ({ log, standIn }) => {
      let arrived = () => {};
      const tail = log.tail(
        0,
        async () => arrived(),
        (failure) => {
          throw failure;
        },
      );
      const worst = { append: 0, read: 0, tail: 0 };
      const took = async (what: keyof typeof worst, begun: number, work: Promise<unknown>): Promise<void> => {
        await work;
        worst[what] = Math.max(worst[what], (performance.now() - begun) / 1_000);
      };
      const appendOne = () => write(log, { streams: 1, each: 1 }, (done) => done === 0);
      for (let i = 0; i < ROUNDS; i += 1) {
        const before = new Promise<void>((resolve) => {
          arrived = resolve;
        });
        await appendOne();
        await before;
        const arrival = new Promise<void>((resolve) => {
          arrived = resolve;
        });
        await standIn!.swallow(null);
        const begun = performance.now();
        await Promise.all([
          took('append', begun, appendOne()),
          took('read', begun, log.readStream({ stream: 'channel-0', limit: 1 })),
          took('tail', begun, arrival),
        ]);
      }
      await tail.stop();
      return {
        figures: {
          's until appends work': round(worst.append, 1),
          's until reads do': round(worst.read, 1),
          's until the tail does': round(worst.tail, 1),
        },
        ratio: Math.max(...Object.values(worst)),
      };
    }),
};
