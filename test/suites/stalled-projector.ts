/** A projector hangs without dying, and a gateway dies meanwhile. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Cluster, SPLIT } from '../support/cluster.ts';
import type { Load } from '../support/load.ts';
import { Verdict } from '../support/verdict.ts';

type Split = Pick<Cluster<keyof typeof SPLIT>, 'process' | 'kill' | 'start'>;

/** @param cluster it runs when the suite begins, and is left running */
export const stalledProjectorSuite = (cluster: () => Split, startTalking: () => Promise<Load>) =>
  describe('a gateway killed while a projector stalls', () => {
    let load: Load;
    let verdict: Verdict;
    let stalled: number | undefined;

    const goOn = () => {
      if (stalled !== undefined) process.kill(stalled, 'SIGCONT');
      stalled = undefined;
    };

    beforeAll(async () => {
      load = await startTalking();
      await load.more(100);
      stalled = cluster().process('projector-1').pid;
      process.kill(stalled, 'SIGSTOP');
      await load.more(200);
      await load.heard();
      await cluster().kill('gateway-1');
      await load.more(100);
      await load.heard();
      // The projector now publishes the batch it held when it stopped, long after others have published it.
      goOn();
      await cluster().start('gateway-1');
      await load.more(200);
      await load.heard();
      verdict = await Verdict.on(load);
    }, 180_000);

    afterAll(() => {
      goOn();
      load?.close();
    });

    it('loses, repeats and reorders nothing', () => {
      verdict.expectPromisesKept();
      verdict.expectHeardOnce();
    });

    it('leaves timelines and unread counts that match the log', async () => {
      await verdict.expectHistory();
      await verdict.expectUnreadRecounted();
    });
  });
