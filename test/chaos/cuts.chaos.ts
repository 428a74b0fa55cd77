/** Connections to the log, the vault, the views and Redis are cut hundreds of times at random moments, under load. */

import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type Cluster, SPLIT, startCluster } from '../support/cluster.ts';
import { type Front, startFront } from '../support/front.ts';
import { type Load, startLoad } from '../support/load.ts';
import { createNamespace, type Namespace } from '../support/namespace.ts';
import { LIMITS_OFF } from '../support/server.ts';
import { Verdict } from '../support/verdict.ts';
import { figure } from './figures.ts';

const CUTS = 300;
/** Kafka and Cassandra tell their clients addresses of their own, past any front. */
const PLACES = ['PARLEY_LOG_URL', 'PARLEY_VAULT_URL', 'PARLEY_VIEWS_URL', 'PARLEY_REDIS_URL'] as const;
/** Every tenth cut lasts for this long. */
const LONG_MS = 1500;

describe('people talk and listen while connections are cut', () => {
  const fronts: { readonly front: Front; readonly port: number }[] = [];
  let namespace: Namespace;
  let cluster: Cluster<keyof typeof SPLIT>;
  let load: Load;

  beforeAll(async () => {
    namespace = await createNamespace();
    const env: Record<string, string> = { ...LIMITS_OFF };
    for (const place of PLACES) {
      const url = new URL(namespace.env[place]!);
      const one = { front: await startFront(), port: Number(url.port) };
      one.front.forwardTo(one.port);
      fronts.push(one);
      url.port = String(one.front.port);
      env[place] = url.href;
    }
    cluster = await startCluster({ processes: SPLIT, namespace, env });
    load = await startLoad(cluster, { repeats: true });
  });

  afterAll(async () => {
    load?.close();
    await cluster?.close();
    for (const { front } of fronts) await front.close();
    await namespace?.drop();
  });

  it(`loses, doubles and reorders nothing in ${CUTS} cuts`, async () => {
    const began = performance.now();
    for (let n = 1; n <= CUTS; n += 1) {
      const { front, port } = fronts[n % fronts.length]!;
      front.hold();
      await wait(n % 10 === 0 ? LONG_MS : Math.random() * 100);
      front.forwardTo(port);
      await wait(Math.random() * 500);
      if (n % 50 === 0) {
        await load.more(20);
        await load.heard();
      }
    }
    const seconds = (performance.now() - began) / 1000;
    const verdict = await Verdict.on(load);
    figure('messages acknowledged per second while connections are cut', [load.acknowledged() / seconds], 'messages/s');
    await verdict.expectAll();
  });
});
