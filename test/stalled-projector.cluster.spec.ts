/** A projector hangs without dying, and a gateway dies meanwhile. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type Cluster, SPLIT, startCluster } from './support/cluster.ts';
import { type Load, startLoad } from './support/load.ts';
import {
  expectHeardOnce,
  expectHistory,
  expectPromisesKept,
  expectUnreadRecounted,
  type Logged,
  loggedOf,
  untilCaughtUp,
} from './support/verdict.ts';

describe('a gateway killed while a projector stalls', () => {
  let cluster: Cluster<keyof typeof SPLIT>;
  let load: Load;
  let log: Logged;
  let stalled: number | undefined;

  const goOn = () => {
    if (stalled !== undefined) process.kill(stalled, 'SIGCONT');
    stalled = undefined;
  };

  beforeAll(async () => {
    cluster = await startCluster({ processes: SPLIT });
    load = await startLoad({
      api: cluster.url('api'),
      gateways: [cluster.url('gateway-1'), cluster.url('gateway-2')],
      channels: 4,
      senders: 10,
      subscribers: 20,
      window: 2,
      everyMs: 100,
    });
    await load.more(100);
    stalled = cluster.process('projector-1').pid;
    process.kill(stalled, 'SIGSTOP');
    await load.more(200);
    await load.heard();
    await cluster.kill('gateway-1');
    await load.more(100);
    await load.heard();
    // The projector now publishes the batch it held when it stopped, long after others have published it.
    goOn();
    await cluster.start('gateway-1');
    await load.more(200);
    await load.heard();
    await load.settle();
    log = await loggedOf(load);
    await untilCaughtUp(load, log);
  }, 180_000);

  afterAll(async () => {
    goOn();
    load?.close();
    await cluster?.close();
  });

  it('loses, repeats and reorders nothing', () => {
    expectPromisesKept(load, log);
    expectHeardOnce(load, log);
  });

  it('leaves timelines and unread counts that match the log', async () => {
    await expectHistory(load, log);
    await expectUnreadRecounted(load, log);
  });
});
